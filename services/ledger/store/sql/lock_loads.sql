-- Locks load rows in the global order (agent, flow ascending); flow '' is an agent's total.
SELECT l.agent_id, l.flow_id, l.active, l.cap
  FROM ledger.agent_load l
  JOIN unnest($1::text[], $2::text[]) AS wanted(agent_id, flow_id)
    ON l.agent_id = wanted.agent_id AND l.flow_id = wanted.flow_id
 ORDER BY l.agent_id, l.flow_id
   FOR NO KEY UPDATE OF l
