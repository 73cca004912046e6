INSERT INTO router.presence (employee, status, until_at, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (employee) DO UPDATE
   SET status = excluded.status, until_at = excluded.until_at, updated_at = excluded.updated_at,
       updated_by = excluded.updated_by
