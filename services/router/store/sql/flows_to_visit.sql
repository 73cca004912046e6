-- The slow sweep: every flow with something to do, whoever failed to say so. Of the queues and of the reasons one row a flow
-- is read, by the indexes that have nothing else; that costs the same however much waits. Of the lines that wait for their move
-- each is looked at, also where the ticket was finished before it moved.
WITH RECURSIVE waits AS (
  (SELECT t.flow_id, t.queued_at FROM ledger.ticket t WHERE t.state = 'QUEUED' ORDER BY t.flow_id, t.queued_at LIMIT 1)
  UNION ALL
  SELECT n.flow_id, n.queued_at
    FROM waits w, LATERAL (SELECT t.flow_id, t.queued_at FROM ledger.ticket t
                            WHERE t.state = 'QUEUED' AND t.flow_id > w.flow_id ORDER BY t.flow_id, t.queued_at LIMIT 1) n),
told AS (
  (SELECT q.flow_id FROM router.queue_entry q ORDER BY q.flow_id LIMIT 1)
  UNION ALL
  SELECT n.flow_id
    FROM told t, LATERAL (SELECT q.flow_id FROM router.queue_entry q WHERE q.flow_id > t.flow_id ORDER BY q.flow_id LIMIT 1) n)
SELECT f.flow_id, min(f.oldest) AS oldest
  FROM (SELECT w.flow_id, w.queued_at AS oldest FROM waits w
        UNION ALL
        SELECT t.flow_id, NULL
          FROM ledger.ticket t
         WHERE t.pending_line > 0 AND t.pending_line > t.line AND t.state IN ('ASSIGNED','IN_PROGRESS')
        UNION ALL
        SELECT q.flow_id, NULL FROM told q) f
 GROUP BY f.flow_id
 ORDER BY f.flow_id
