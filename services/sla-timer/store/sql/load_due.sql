-- The armed timers of parts $1 that a process must know now. First the backlog: due before $2, its oldest $4 rows.
-- Then what is due from $2 on and before $3, the first $5 rows. A part at a time, so that each look is one short
-- walk along the index of armed timers, however many of them are far away.
(SELECT t.part, t.ticket_id, t.kind, t.gen, t.due_at
   FROM unnest($1::smallint[]) AS p(part)
  CROSS JOIN LATERAL (
        SELECT s.part, s.ticket_id, s.kind, s.gen, s.due_at
          FROM ledger.sla_timer s
         WHERE s.part = p.part AND s.state = 'armed' AND s.due_at < $2::timestamptz
         ORDER BY s.due_at
         LIMIT $4::int) t
  ORDER BY t.due_at, t.ticket_id
  LIMIT $4::int)
UNION ALL
(SELECT t.part, t.ticket_id, t.kind, t.gen, t.due_at
   FROM unnest($1::smallint[]) AS p(part)
  CROSS JOIN LATERAL (
        SELECT s.part, s.ticket_id, s.kind, s.gen, s.due_at
          FROM ledger.sla_timer s
         WHERE s.part = p.part AND s.state = 'armed'
           AND s.due_at >= $2::timestamptz AND s.due_at < $3::timestamptz
         ORDER BY s.due_at
         LIMIT $5::int) t
  ORDER BY t.due_at, t.ticket_id
  LIMIT $5::int)
