-- No timer fired before it was due.
SELECT part, ticket_id::text AS what, kind || ' due ' || due_at || ', fired ' || fired_at AS detail
  FROM ledger.sla_fired WHERE fired_at < due_at
