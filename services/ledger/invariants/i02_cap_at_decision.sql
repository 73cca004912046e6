-- The cap was not exceeded when the slot was taken.
SELECT part, ticket_id::text AS what, agent_id || ': ' || active_after || ' of ' || cap_at_assign AS detail
  FROM ledger.assignment WHERE active_after > cap_at_assign
