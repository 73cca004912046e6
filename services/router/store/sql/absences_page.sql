-- Absences of employee $1, the latest start first, after the key ($2 start, $3 id) when it is given.
SELECT id, kind, starts_at, ends_at, comment
  FROM router.absence
 WHERE employee = $1 AND ($2::timestamptz IS NULL OR (starts_at, id) < ($2::timestamptz, $3::uuid))
 ORDER BY starts_at DESC, id DESC
 LIMIT $4
