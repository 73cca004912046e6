-- Employees after $1 by id, at most $2.
SELECT id, version, name, email, job_title, department, manager, zone, locale, active, updated_at
  FROM intake.employee
 WHERE id > $1
 ORDER BY id
 LIMIT $2;
