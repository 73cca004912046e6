-- Whatever a ticket waits for has its armed timer, of the present generation and due at the ticket's own instant: the
-- end of a running term that is not broken yet, the first answer nobody gave yet, the auto-close of a result.
SELECT t.part, t.id::text AS what,
       t.number || ' ' || t.state || ': ' || w.kind || ' generation ' || w.gen || ' due ' || w.due_at || ', timer '
         || coalesce(s.state || ' generation ' || s.gen || ' due ' || s.due_at, 'missing') AS detail
  FROM ledger.ticket t
 CROSS JOIN LATERAL (VALUES
        ('breach', t.sla_gen, t.due_at,
         t.state IN ('QUEUED','ASSIGNED','IN_PROGRESS') AND t.term_us IS NOT NULL AND t.breached_at IS NULL),
        ('first_response', 1, t.first_response_due,
         t.state IN ('QUEUED','ASSIGNED','IN_PROGRESS') AND t.running_since IS NOT NULL
           AND t.first_response_at IS NULL AND NOT t.first_response_breached),
        ('autoclose', t.closure_no * 1024 + t.return_count, t.autoclose_at, t.state = 'RESOLVED')) AS w(kind, gen, due_at, wanted)
  LEFT JOIN ledger.sla_timer s ON s.part = t.part AND s.ticket_id = t.id AND s.kind = w.kind
 WHERE w.wanted AND (w.due_at IS NOT NULL OR w.kind = 'breach')
   AND NOT coalesce(s.state = 'armed' AND s.gen = w.gen AND s.due_at = w.due_at, false)
