-- A page of flow $1's queue in the policy's order at business time $2 with an ageing step of $3 seconds; $8 rows
-- after the key ($4 not front, $5 effective priority, $6 seq, $7 id), from the start when $4 is NULL.
WITH page AS MATERIALIZED (
  SELECT w.*
    FROM (SELECT t.part, t.id, t.number, t.title, t.line, t.priority, t.queued_seq, t.queued_at, t.excluded, t.due_at,
                 CASE WHEN t.queue_front THEN 0 ELSE 1 END AS behind,
                 (t.priority - greatest(0, floor(extract(epoch FROM $2::timestamptz - t.queued_at) / $3::int)))::bigint
                   AS effective
            FROM ledger.ticket t
           WHERE t.flow_id = $1 AND t.state = 'QUEUED') w
   WHERE $4::int IS NULL OR (w.behind, w.effective, w.queued_seq, w.id) > ($4::int, $5::bigint, $6::bigint, $7::uuid)
   ORDER BY w.behind, w.effective, w.queued_seq, w.id
   LIMIT $8)
SELECT p.id, p.number, p.title, p.line, p.priority, p.effective, p.behind, p.queued_seq, p.queued_at, p.excluded,
       p.due_at, (SELECT q.reason FROM router.queue_entry q WHERE q.part = p.part AND q.ticket_id = p.id) AS reason
  FROM page p
 ORDER BY p.behind, p.effective, p.queued_seq, p.id
