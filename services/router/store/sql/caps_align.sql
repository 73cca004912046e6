-- Brings the caps of a flow's members in line with the flow's definition ($2 = its own cap): a published change of
-- max_active reaches the load rows here. A cap below what an agent holds only stops new work. A conflict locks also what
-- it does not change, so only what is missing or differs is inserted.
INSERT INTO ledger.agent_load AS l (agent_id, flow_id, active, cap)
SELECT m.employee, m.flow_id, 0, coalesce(m.max_active, $2::int)
  FROM router.member m
 WHERE m.flow_id = $1 AND m.removed_at IS NULL
   AND (SELECT have.cap FROM ledger.agent_load have WHERE have.agent_id = m.employee AND have.flow_id = m.flow_id)
       IS DISTINCT FROM coalesce(m.max_active, $2::int)
 ORDER BY m.employee
ON CONFLICT (agent_id, flow_id) DO UPDATE SET cap = excluded.cap WHERE l.cap <> excluded.cap
