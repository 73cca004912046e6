-- No timer fired before it was due, by the row of the fire and by the event it made.
SELECT f.part, f.ticket_id::text AS what,
       f.kind || ' due ' || f.due_at || ', fired ' || f.fired_at || coalesce(', event at ' || e.at, '') AS detail
  FROM ledger.sla_fired f
  LEFT JOIN ledger.ticket_event e ON e.part = f.part AND e.ticket_id = f.ticket_id AND e.version = f.version
 WHERE f.fired_at < f.due_at OR e.at < f.due_at
