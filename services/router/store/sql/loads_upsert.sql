-- Gives members of flow $1 their caps ($2 employees, $3 caps); what they hold stays counted.
INSERT INTO ledger.agent_load AS l (agent_id, flow_id, active, cap)
SELECT w.employee, $1, 0, w.cap
  FROM unnest($2::text[], $3::int[]) AS w (employee, cap)
 ORDER BY w.employee
ON CONFLICT (agent_id, flow_id) DO UPDATE SET cap = excluded.cap
