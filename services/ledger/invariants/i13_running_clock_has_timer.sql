-- A running clock with a term has its breach timer of the present generation, unless it has breached.
SELECT t.part, t.id::text AS what, t.number || ' ' || t.state || ' generation ' || t.sla_gen AS detail
  FROM ledger.ticket t
 WHERE t.state IN ('QUEUED','ASSIGNED','IN_PROGRESS') AND t.term_us IS NOT NULL AND t.breached_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM ledger.sla_timer s WHERE s.part = t.part AND s.ticket_id = t.id
                      AND s.kind = 'breach' AND s.gen = t.sla_gen AND s.state = 'armed')
