-- Agents who hold work they cannot do at business time $1: absent, out of the team, or gone from the company. Their tickets
-- are looked at one agent after another and only of those: as a join it read all that is held, each second. OFFSET 0 keeps
-- it from becoming one; the order inside makes the loads be read by their key.
SELECT g.agent_id, g.flow_id
  FROM (SELECT l.agent_id, l.flow_id
          FROM ledger.agent_load l
         WHERE l.flow_id <> '' AND l.active > 0
           AND (EXISTS (SELECT FROM router.absence a
                         WHERE a.employee = l.agent_id AND a.starts_at <= $1::timestamptz AND $1::timestamptz < a.ends_at)
                OR NOT EXISTS (SELECT FROM router.member m JOIN intake.employee e ON e.id = m.employee AND e.active
                                WHERE m.employee = l.agent_id AND m.flow_id = l.flow_id AND m.removed_at IS NULL))
         ORDER BY l.agent_id, l.flow_id OFFSET 0) AS g
 WHERE (SELECT true FROM ledger.ticket t
         WHERE t.assignee = g.agent_id AND t.flow_id = g.flow_id AND t.state IN ('ASSIGNED','IN_PROGRESS') LIMIT 1)
 ORDER BY g.agent_id, g.flow_id
