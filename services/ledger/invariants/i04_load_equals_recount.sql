-- The load counter of an agent equals a recount of what they hold, per flow and in total.
SELECT 0 AS part, l.agent_id AS what, coalesce(nullif(l.flow_id, ''), '(total)') || ': counter ' || l.active || ', recount ' || coalesce(r.n, 0) AS detail
  FROM ledger.agent_load l
  LEFT JOIN (SELECT agent_id, flow_id, count(*) AS n FROM ledger.assignment WHERE released_at IS NULL GROUP BY 1, 2
             UNION ALL
             SELECT agent_id, '', count(*) FROM ledger.assignment WHERE released_at IS NULL GROUP BY 1) r
    ON r.agent_id = l.agent_id AND r.flow_id = l.flow_id
 WHERE l.active <> coalesce(r.n, 0)
