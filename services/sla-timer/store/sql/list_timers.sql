-- Timers of ticket ($1 part, $2 id), by due instant, after the place ($3, $4, $5), at most $6. A fired timer is
-- told by the ledger of fires: the row of its kind may already be armed for the next generation.
SELECT t.kind, t.gen, t.due_at, t.state, t.fired_at
  FROM (SELECT coalesce(s.kind, f.kind) AS kind, coalesce(s.gen, f.gen) AS gen,
               coalesce(f.due_at, s.due_at) AS due_at,
               CASE WHEN f.kind IS NOT NULL THEN 'fired' ELSE s.state END AS state, f.fired_at
          FROM (SELECT kind, gen, due_at, state FROM ledger.sla_timer WHERE part = $1 AND ticket_id = $2) s
          FULL JOIN (SELECT kind, gen, due_at, fired_at FROM ledger.sla_fired WHERE part = $1 AND ticket_id = $2) f
            ON f.kind = s.kind AND f.gen = s.gen) t
 WHERE (t.due_at, t.kind, t.gen) > ($3::timestamptz, $4::text, $5::int)
 ORDER BY t.due_at, t.kind, t.gen
 LIMIT $6::int
