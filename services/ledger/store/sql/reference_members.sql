SELECT flow_id, employee, line, calendar, skills, languages
  FROM router.member
 WHERE removed_at IS NULL
 ORDER BY flow_id, employee;
