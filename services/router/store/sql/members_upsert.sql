-- Makes or replaces members of flow $1 from the JSON rows $2. A removed one comes back with a version of its own.
INSERT INTO router.member AS m (flow_id, employee, line, max_active, calendar, skills, languages)
SELECT $1, w.employee, w.line, w.max_active, w.calendar, w.skills, w.languages
  FROM json_to_recordset($2::json)
       AS w (employee text, line smallint, max_active int, calendar text, skills text[], languages text[])
 ORDER BY w.employee
ON CONFLICT (flow_id, employee) DO UPDATE
   SET version = m.version + 1, line = excluded.line, max_active = excluded.max_active, calendar = excluded.calendar,
       skills = excluded.skills, languages = excluded.languages, removed_at = NULL
