-- No armed timer is overdue by more than two real seconds.
SELECT s.part, s.ticket_id::text AS what, s.kind || ' due ' || s.due_at || ', now ' || n.now AS detail
  FROM ledger.sla_timer s,
       (SELECT ledger.business_now() AS now, coalesce((SELECT o.scale FROM ledger.clock_origin o), 1) AS scale) n
 WHERE s.state = 'armed' AND s.due_at < n.now - n.scale * interval '2 s'
