-- What is armed now for tickets whose timers have just fired, due before $3: the escalation that a breach sets
-- off may be due at once.
SELECT s.part, s.ticket_id, s.kind, s.gen, s.due_at
  FROM ledger.sla_timer s
  JOIN unnest($1::smallint[], $2::uuid[]) AS w(part, ticket_id) ON s.part = w.part AND s.ticket_id = w.ticket_id
 WHERE s.state = 'armed' AND s.due_at < $3::timestamptz
