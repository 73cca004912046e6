-- The load counter of an agent equals a recount of what they hold, per flow and in total; a total is optional, the
-- counter of a flow in which somebody holds tickets is not.
SELECT 0 AS part, coalesce(l.agent_id, r.agent_id) AS what,
       coalesce(nullif(coalesce(l.flow_id, r.flow_id), ''), '(total)') || ': counter ' || coalesce(l.active::text, 'missing')
         || ', recount ' || coalesce(r.n, 0) AS detail
  FROM ledger.agent_load l
  FULL JOIN (SELECT agent_id, flow_id, count(*) AS n FROM ledger.assignment WHERE released_at IS NULL GROUP BY 1, 2
             UNION ALL
             SELECT agent_id, '', count(*) FROM ledger.assignment WHERE released_at IS NULL GROUP BY 1) r
    ON r.agent_id = l.agent_id AND r.flow_id = l.flow_id
 WHERE l.active IS DISTINCT FROM coalesce(r.n, 0) AND NOT (l.agent_id IS NULL AND r.flow_id = '')
