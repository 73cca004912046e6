-- Serialises the passes of one flow, not of the system: the first lock of a pass.
SELECT last_agent FROM ledger.flow_cursor WHERE flow_id = $1 FOR NO KEY UPDATE
