-- One page of flow $1's queue: forgets the reasons of tickets that have left it, by whatever way, among the $4 rows after
-- ($2, $3); says what makes those that wait differ for the policy, among the $4 youngest that were queued at $5 or before
-- (null: among all). A row for each such difference, one at least; what it says of the reasons is the same in all.
WITH entry AS MATERIALIZED (
  SELECT q.part, q.ticket_id FROM router.queue_entry q
   WHERE q.flow_id = $1 AND (q.part, q.ticket_id) > ($2::smallint, $3::uuid)
   ORDER BY q.part, q.ticket_id LIMIT $4::int),
gone AS (
  DELETE FROM router.queue_entry q USING entry e
   WHERE q.part = e.part AND q.ticket_id = e.ticket_id
     AND NOT EXISTS (SELECT FROM ledger.ticket t
                      WHERE t.part = q.part AND t.id = q.ticket_id AND t.state = 'QUEUED')
  RETURNING q.part),
waiting AS MATERIALIZED (
  SELECT t.line, t.excluded, t.queued_at FROM ledger.ticket t
   WHERE t.flow_id = $1 AND t.state = 'QUEUED' AND t.queued_at <= coalesce($5::timestamptz, 'infinity')
   ORDER BY t.queued_at DESC LIMIT $4::int)
SELECT r.entries, r.dropped, l.part, l.ticket_id, w.line, w.excluded, w.tickets, w.oldest
  FROM (SELECT (SELECT count(*) FROM entry) AS entries, (SELECT count(*) FROM gone) AS dropped) AS r
  LEFT JOIN LATERAL (SELECT e.part, e.ticket_id FROM entry e ORDER BY e.part DESC, e.ticket_id DESC LIMIT 1) AS l ON true
  LEFT JOIN LATERAL (SELECT p.line, p.excluded, count(*) AS tickets, min(p.queued_at) AS oldest
                       FROM waiting p GROUP BY p.line, p.excluded) AS w ON true
