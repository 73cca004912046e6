-- The ledger of fires and the timer events agree one to one, per kind and generation, version and instant.
SELECT coalesce(f.part, e.part) AS part, coalesce(f.ticket_id, e.ticket_id)::text AS what,
       coalesce(f.kind, e.kind) || ' generation ' || coalesce(f.gen, e.gen) || ': events ' || coalesce(e.n, 0)
         || coalesce(', version ' || e.version, '') || coalesce(', fire of version ' || f.version, ', no fire') AS detail
  FROM ledger.sla_fired f
  FULL JOIN (SELECT part, ticket_id, body->>'timer' AS kind, coalesce((body->>'gen')::int, 0) AS gen,
                    count(*) AS n, min(version) AS version, min(at) AS at
               FROM ledger.ticket_event
              WHERE type IN ('half_reminded','breached','first_response_breached','escalated','auto_closed')
              GROUP BY 1, 2, 3, 4) e
    ON e.part = f.part AND e.ticket_id = f.ticket_id AND e.kind = f.kind AND e.gen = f.gen
 WHERE f.ticket_id IS NULL OR e.n IS DISTINCT FROM 1 OR e.version <> f.version OR e.at <> f.fired_at
