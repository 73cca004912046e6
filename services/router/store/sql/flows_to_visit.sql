-- The slow sweep: every flow with something to do, whoever failed to say so. The partial indexes on queued tickets
-- and pending lines keep it as cheap as the queues are short; of the reasons, one row a flow is read.
WITH RECURSIVE told AS (
  (SELECT q.flow_id FROM router.queue_entry q ORDER BY q.flow_id LIMIT 1)
  UNION ALL
  SELECT (SELECT q.flow_id FROM router.queue_entry q WHERE q.flow_id > t.flow_id ORDER BY q.flow_id LIMIT 1)
    FROM told t WHERE t.flow_id IS NOT NULL)
SELECT f.flow_id, sum(f.queued)::bigint AS queued, min(f.oldest) AS oldest
  FROM (SELECT t.flow_id, count(*) AS queued, min(t.queued_at) AS oldest
          FROM ledger.ticket t WHERE t.state = 'QUEUED' GROUP BY t.flow_id
        UNION ALL
        SELECT t.flow_id, 0, NULL
          FROM ledger.ticket t
         WHERE t.pending_line > 0 AND t.pending_line > t.line AND t.state IN ('ASSIGNED','IN_PROGRESS')
        UNION ALL
        SELECT q.flow_id, 0, NULL FROM told q WHERE q.flow_id IS NOT NULL) f
 GROUP BY f.flow_id
