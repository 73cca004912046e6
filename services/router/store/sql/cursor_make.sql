-- The ring of a flow that has none yet.
INSERT INTO ledger.flow_cursor (flow_id) VALUES ($1) ON CONFLICT (flow_id) DO NOTHING
