-- Forgets the reasons of tickets of flow $1 that have left the queue, by whatever way; what makes those that wait differ
-- for the policy: a reason is worked out once for each row.
WITH gone AS (
  DELETE FROM router.queue_entry q
   WHERE q.flow_id = $1
     AND NOT EXISTS (SELECT FROM ledger.ticket t
                      WHERE t.part = q.part AND t.id = q.ticket_id AND t.state = 'QUEUED'))
SELECT t.line, t.excluded
  FROM ledger.ticket t
 WHERE t.flow_id = $1 AND t.state = 'QUEUED'
 GROUP BY t.line, t.excluded
