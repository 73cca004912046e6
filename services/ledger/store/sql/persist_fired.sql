-- The exactly-once ledger of timers; the primary key refuses a second fire of one generation. Lateness is
-- kept in real time: business time may run faster. Arrays, one a column, like those of persist_moved.sql.
INSERT INTO ledger.sla_fired (part, ticket_id, kind, gen, due_at, fired_at, version, late_us)
SELECT f.part, f.ticket_id, f.kind, f.gen, f.due_at, f.fired_at, f.version,
       (extract(epoch FROM f.fired_at - f.due_at) * 1e6
         / coalesce((SELECT o.scale FROM ledger.clock_origin o), 1))::bigint
  FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::bigint[])
    AS f(part, ticket_id, kind, gen, due_at, fired_at, version)
