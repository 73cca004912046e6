-- A page of flow $1's queue in the policy's order at business time $2 with an ageing step of $3 seconds; $8 rows
-- after the key ($4 not front, $5 effective priority, $6 seq, $7 id), from the start when $4 is NULL.
SELECT w.id, w.number, w.title, w.line, w.priority, w.effective, w.behind, w.queued_seq, w.queued_at, w.excluded,
       w.due_at, q.reason
  FROM (SELECT t.part, t.id, t.number, t.title, t.line, t.priority, t.queued_seq, t.queued_at, t.excluded, t.due_at,
               CASE WHEN t.queue_front THEN 0 ELSE 1 END AS behind,
               (t.priority - greatest(0, floor(extract(epoch FROM $2::timestamptz - t.queued_at) / $3::int)))::bigint
                 AS effective
          FROM ledger.ticket t
         WHERE t.flow_id = $1 AND t.state = 'QUEUED') w
  LEFT JOIN router.queue_entry q ON q.part = w.part AND q.ticket_id = w.id
 WHERE $4::int IS NULL OR (w.behind, w.effective, w.queued_seq, w.id) > ($4::int, $5::bigint, $6::bigint, $7::uuid)
 ORDER BY w.behind, w.effective, w.queued_seq, w.id
 LIMIT $8
