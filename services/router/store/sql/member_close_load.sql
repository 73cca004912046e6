-- No slot is left for one who is no member: every path to a ticket meets this row.
UPDATE ledger.agent_load SET cap = 0 WHERE agent_id = $2 AND flow_id = $1
