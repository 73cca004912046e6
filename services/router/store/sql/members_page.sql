-- Members of flow $1 by id after $2, with what they hold; only $4 when given, whatever the page.
SELECT m.employee, m.version, m.line, m.max_active, m.calendar, m.skills, m.languages, coalesce(l.active, 0) AS active,
       coalesce(p.status, 'offline') AS presence, p.until_at
  FROM router.member m
  LEFT JOIN ledger.agent_load l ON l.agent_id = m.employee AND l.flow_id = m.flow_id
  LEFT JOIN router.presence p ON p.employee = m.employee
 WHERE m.flow_id = $1 AND m.removed_at IS NULL AND m.employee COLLATE "C" > $2
   AND ($4::text[] IS NULL OR m.employee = ANY ($4::text[]))
 ORDER BY m.employee COLLATE "C"
 LIMIT $3
