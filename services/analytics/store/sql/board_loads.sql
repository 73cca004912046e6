-- What the agents of a flow hold now, and their caps.
SELECT l.agent_id, l.active, l.cap FROM ledger.agent_load l WHERE l.flow_id = $1 ORDER BY l.agent_id
