-- The youngest ticket of flow $1 that waits without a reason, among the $4 youngest that were queued at $2 or before (null:
-- among all) and at $3 or after (null: whenever); how many that looked at, and down to when.
WITH looked AS MATERIALIZED (
  SELECT t.part, t.id, t.queued_at FROM ledger.ticket t
   WHERE t.flow_id = $1 AND t.state = 'QUEUED' AND t.queued_at <= coalesce($2::timestamptz, 'infinity')
     AND t.queued_at >= coalesce($3::timestamptz, '-infinity')
   ORDER BY t.queued_at DESC LIMIT $4::int)
SELECT count(*) AS tickets, min(l.queued_at) AS oldest,
       max(l.queued_at) FILTER (WHERE (SELECT q.reason FROM router.queue_entry q
                                        WHERE q.part = l.part AND q.ticket_id = l.id) IS NULL) AS youngest
  FROM looked l
