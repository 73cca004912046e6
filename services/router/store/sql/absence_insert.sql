INSERT INTO router.absence (employee, kind, starts_at, ends_at, comment, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id
