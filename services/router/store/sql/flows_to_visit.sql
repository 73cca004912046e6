-- The slow sweep: every flow with something to do, whoever failed to say so. The partial indexes on queued tickets
-- and pending lines keep it as cheap as the queues are short.
SELECT f.flow_id, sum(f.queued)::bigint AS queued, min(f.oldest) AS oldest
  FROM (SELECT t.flow_id, count(*) AS queued, min(t.queued_at) AS oldest
          FROM ledger.ticket t WHERE t.state = 'QUEUED' GROUP BY t.flow_id
        UNION ALL
        SELECT t.flow_id, 0, NULL
          FROM ledger.ticket t
         WHERE t.pending_line > 0 AND t.pending_line > t.line AND t.state IN ('ASSIGNED','IN_PROGRESS')
        UNION ALL
        SELECT q.flow_id, 0, NULL FROM router.queue_entry q) f
 GROUP BY f.flow_id
