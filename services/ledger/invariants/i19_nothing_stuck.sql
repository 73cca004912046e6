-- No notice is overdue by more than a minute of real time, no consumer has parked an entry, no timer was given up.
SELECT d.part, d.id::text AS what,
       d.kind || ' to ' || d.recipient || ' by ' || d.channel || ' is ' || d.state || ' since ' || d.next_at AS detail
  FROM notifier.delivery d
 WHERE d.state IN ('pending','sending') AND d.next_at < clock_timestamp() - interval '60 s'
UNION ALL
SELECT part, entity::text, grp || ' parked ' || type || ' version ' || version || ': ' || reason
  FROM ledger.dlq WHERE state = 'parked'
UNION ALL
SELECT part, ticket_id::text, kind || ' timer of generation ' || gen || ' was given up after ' || attempts || ' attempts'
  FROM ledger.sla_timer WHERE state = 'parked'
