-- Moves slots. The guard is repeated in the row itself: taking a slot never passes the cap, whoever writes.
UPDATE ledger.agent_load l
   SET active = l.active + d.delta,
       last_assigned_at = CASE WHEN d.assigned THEN $5::timestamptz ELSE l.last_assigned_at END
  FROM unnest($1::text[], $2::text[], $3::int[], $4::boolean[]) AS d(agent_id, flow_id, delta, assigned)
 WHERE l.agent_id = d.agent_id AND l.flow_id = d.flow_id
   AND (d.delta <= 0 OR l.active + d.delta <= l.cap)
