-- Makes or replaces the employees given as parallel arrays; a row that is the same already is left alone.
-- Answers the rows that were made or changed.
INSERT INTO intake.employee AS e
       (id, name, email, job_title, department, manager, zone, locale, active, updated_at)
SELECT g.id, g.name, g.email, g.job_title, g.department, g.manager, g.zone, g.locale, g.active, $10::timestamptz
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[])
    AS g (id, name, email, job_title, department, manager, zone, locale, active)
 ORDER BY g.id
ON CONFLICT (id) DO UPDATE
   SET name = excluded.name, email = excluded.email, job_title = excluded.job_title,
       department = excluded.department, manager = excluded.manager, zone = excluded.zone,
       locale = excluded.locale, active = excluded.active,
       version = e.version + 1, updated_at = excluded.updated_at
 WHERE (e.name, e.email, e.job_title, e.department, e.manager, e.zone, e.locale, e.active)
       IS DISTINCT FROM (excluded.name, excluded.email, excluded.job_title, excluded.department,
                         excluded.manager, excluded.zone, excluded.locale, excluded.active)
RETURNING e.version = 1 AS created;
