-- No agent ever held more than the cap that held then: slots taken and given back, replayed in the order of the
-- numbers drawn under the lock on the load row, against the history of caps. What an older binary gave back has no
-- number and is left out altogether; what was taken before numbers were drawn counts from the start.
WITH moves AS (
  SELECT agent_id, flow_id, part, ticket_id, version, coalesce(taken_no, 0) AS no, 1 AS d
    FROM ledger.assignment WHERE released_at IS NULL OR released_no IS NOT NULL
  UNION ALL
  SELECT agent_id, flow_id, part, ticket_id, version, released_no, -1
    FROM ledger.assignment WHERE released_no IS NOT NULL
), held AS (
  SELECT m.agent_id, m.flow_id AS scope, m.part, m.ticket_id, m.version, m.no, m.d,
         sum(m.d) OVER (PARTITION BY m.agent_id, m.flow_id ORDER BY m.no) AS n
    FROM moves m
  UNION ALL
  SELECT m.agent_id, '', m.part, m.ticket_id, m.version, m.no, m.d, sum(m.d) OVER (PARTITION BY m.agent_id ORDER BY m.no)
    FROM moves m WHERE m.agent_id IN (SELECT agent_id FROM ledger.cap_log WHERE flow_id = '')
), caps AS (
  SELECT agent_id, flow_id, cap, no, lead(no) OVER (PARTITION BY agent_id, flow_id ORDER BY no) AS until
    FROM ledger.cap_log
)
SELECT h.part, h.ticket_id::text AS what,
       'version ' || h.version || ': ' || h.agent_id || ' then held ' || h.n || ' in ' || coalesce(nullif(h.scope, ''), 'all flows')
         || ', cap ' || coalesce(c.cap::text, 'unknown') AS detail
  FROM held h
  LEFT JOIN caps c ON c.agent_id = h.agent_id AND c.flow_id = h.scope AND c.no < h.no AND (c.until IS NULL OR h.no < c.until)
 WHERE h.d = 1 AND h.no > 0
   AND (h.n > c.cap OR (c.cap IS NULL AND h.scope <> ''))  -- the total over flows is optional
