-- The employees of these ids, in the order of the ids as given.
SELECT e.id, e.version, e.name, e.email, e.job_title, e.department, e.manager, e.zone, e.locale, e.active, e.updated_at
  FROM unnest($1::text[]) WITH ORDINALITY AS g (id, n)
  JOIN intake.employee e USING (id)
 ORDER BY g.n;
