-- Timers by kind: how many are armed, how many of these are overdue, how many have fired.
SELECT k.kind,
       (SELECT count(*) FROM ledger.sla_timer s WHERE s.kind = k.kind AND s.state = 'armed') AS armed,
       (SELECT count(*) FROM ledger.sla_timer s
         WHERE s.kind = k.kind AND s.state = 'armed' AND s.due_at <= n.now) AS overdue,
       (SELECT count(*) FROM ledger.sla_fired f WHERE f.kind = k.kind) AS fired
  FROM unnest($1::text[]) AS k(kind), (SELECT ledger.business_now() AS now) n
