-- What employee $1 said last, and the absence that lasts at $2.
SELECT p.status, p.until_at, p.updated_at,
       (SELECT a.id FROM router.absence a
         WHERE a.employee = $1 AND a.starts_at <= $2::timestamptz AND $2::timestamptz < a.ends_at
         ORDER BY a.starts_at, a.id LIMIT 1) AS absence
  FROM (SELECT $1::text AS employee) who
  LEFT JOIN router.presence p ON p.employee = who.employee
