-- One more failed attempt of each timer; the fifth ($5) parks it, so that it never stands in the way again. The
-- generation and the state are compared: a timer that was armed anew meanwhile starts from zero.
UPDATE ledger.sla_timer s
   SET attempts = s.attempts + 1,
       state = CASE WHEN s.attempts + 1 >= $5::int THEN 'parked' ELSE s.state END
  FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::int[]) AS f(part, ticket_id, kind, gen)
 WHERE s.part = f.part AND s.ticket_id = f.ticket_id AND s.kind = f.kind AND s.gen = f.gen AND s.state = 'armed'
RETURNING s.ticket_id, s.kind, s.attempts, s.state
