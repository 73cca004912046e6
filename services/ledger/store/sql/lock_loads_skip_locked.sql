-- The same without waiting: of rows that another transaction holds only the keys come back. By the primary key.
WITH mine AS MATERIALIZED (
  SELECT l.agent_id, l.flow_id, l.active, l.cap
    FROM ledger.agent_load l
    JOIN unnest($1::text[], $2::text[]) AS wanted(agent_id, flow_id)
      ON l.agent_id = wanted.agent_id AND l.flow_id = wanted.flow_id
   ORDER BY l.agent_id, l.flow_id
     FOR NO KEY UPDATE OF l SKIP LOCKED
)
SELECT l.agent_id, l.flow_id, mine.active, mine.cap
  FROM ledger.agent_load l
  JOIN unnest($1::text[], $2::text[]) AS wanted(agent_id, flow_id)
    ON l.agent_id = wanted.agent_id AND l.flow_id = wanted.flow_id
  LEFT JOIN mine ON mine.agent_id = l.agent_id AND mine.flow_id = l.flow_id
