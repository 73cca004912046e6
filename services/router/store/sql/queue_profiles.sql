-- What makes queued tickets of a flow differ for the policy: a reason is worked out once for each row.
SELECT t.line, t.excluded
  FROM ledger.ticket t
 WHERE t.flow_id = $1 AND t.state = 'QUEUED'
 GROUP BY t.line, t.excluded
