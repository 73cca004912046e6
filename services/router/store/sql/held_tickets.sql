-- What agent $1 works on in flow $2, the most urgent first; WAITING tickets stay until they are resumed.
SELECT t.id
  FROM ledger.ticket t
 WHERE t.assignee = $1 AND t.flow_id = $2 AND t.state IN ('ASSIGNED','IN_PROGRESS')
 ORDER BY t.due_at NULLS LAST, t.id
 LIMIT $3
