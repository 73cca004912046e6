-- Why each of these tickets is still queued, as far as the router has looked at it.
SELECT q.ticket_id, q.reason
  FROM router.queue_entry q
  JOIN unnest($1::smallint[], $2::uuid[]) AS w (part, ticket_id) ON w.part = q.part AND w.ticket_id = q.ticket_id
