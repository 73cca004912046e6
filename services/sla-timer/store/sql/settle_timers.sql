-- Brings rows that disagreed with their (locked) ticket in line with it: cancelled where the ticket wants no such
-- timer, else armed for the generation ($6) and instant ($7) it wants. Rows that moved meanwhile are left alone.
UPDATE ledger.sla_timer s
   SET state = w.state, gen = w.gen_now, due_at = w.due_at, attempts = 0
  FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::int[], $7::timestamptz[])
       AS w(part, ticket_id, kind, gen, state, gen_now, due_at)
 WHERE s.part = w.part AND s.ticket_id = w.ticket_id AND s.kind = w.kind AND s.gen = w.gen AND s.state = 'armed'
