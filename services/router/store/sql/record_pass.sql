-- What a pass of flow $1 leaves: its ring at $2, and the decisions it made, an array a column.
WITH ring AS (
  UPDATE ledger.flow_cursor SET last_agent = $2, passes = passes + 1 WHERE flow_id = $1 AND last_agent <> $2)
INSERT INTO router.decision (part, ticket_id, version, flow_id, flow_version, agent, at, body)
SELECT d.part, d.ticket_id, d.version, $1, d.flow_version, d.agent, d.at, d.body
  FROM unnest($3::smallint[], $4::uuid[], $5::bigint[], $6::int[], $7::text[], $8::timestamptz[], $9::jsonb[])
       AS d (part, ticket_id, version, flow_version, agent, at, body)
