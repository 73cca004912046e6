-- Line moves that an escalation asked for. A waiting ticket moves when it is resumed.
SELECT t.id, coalesce(t.assignee, '') AS holder
  FROM ledger.ticket t
 WHERE t.flow_id = $1 AND t.pending_line > 0 AND t.pending_line > t.line
   AND t.state IN ('QUEUED','ASSIGNED','IN_PROGRESS')
 ORDER BY t.id
 LIMIT $2
