-- The team of flow $1 at business time $3 as the policy sees it; $2 is the flow's own cap. Only member $4 when it
-- is given. Loads are read without locks, all at one moment: the pass locks those it means to use and plans again.
SELECT m.employee, m.line, m.calendar, m.skills, m.languages, coalesce(m.max_active, $2::int) AS wanted_cap,
       l.active, l.cap, total.active AS total_active, total.cap AS total_cap,
       coalesce(p.status, 'offline') AS presence, p.until_at,
       EXISTS (SELECT FROM router.absence a
                WHERE a.employee = m.employee AND a.starts_at <= $3::timestamptz AND $3::timestamptz < a.ends_at) AS on_leave
  FROM router.member m
  JOIN intake.employee e ON e.id = m.employee AND e.active
  LEFT JOIN ledger.agent_load l ON l.agent_id = m.employee AND l.flow_id = m.flow_id
  LEFT JOIN ledger.agent_load total ON total.agent_id = m.employee AND total.flow_id = ''
  LEFT JOIN router.presence p ON p.employee = m.employee
 WHERE m.flow_id = $1 AND m.removed_at IS NULL AND ($4::text IS NULL OR m.employee = $4)
 ORDER BY m.employee COLLATE "C"
