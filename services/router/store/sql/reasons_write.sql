-- Stores why tickets of flow $1 wait that were queued from $6 to $7 (null: to now), by their profile ($2 lines, $3 excluded
-- agents as text, $4 reasons), since $5. Rows whose reason stands are not touched.
INSERT INTO router.queue_entry (part, ticket_id, flow_id, reason, since)
SELECT t.part, t.id, t.flow_id, w.reason, $5::timestamptz
  FROM ledger.ticket t
  JOIN unnest($2::smallint[], $3::text[], $4::text[]) AS w (line, excluded, reason)
    ON w.line = t.line AND w.excluded::text[] = t.excluded
  LEFT JOIN router.queue_entry q ON q.part = t.part AND q.ticket_id = t.id
 WHERE t.flow_id = $1 AND t.state = 'QUEUED'
   AND t.queued_at BETWEEN $6::timestamptz AND coalesce($7::timestamptz, 'infinity')
   AND q.reason IS DISTINCT FROM w.reason
ON CONFLICT (part, ticket_id) DO UPDATE
   SET flow_id = excluded.flow_id, reason = excluded.reason, since = excluded.since
