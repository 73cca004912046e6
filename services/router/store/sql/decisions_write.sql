INSERT INTO router.decision (part, ticket_id, version, flow_id, flow_version, agent, at, body)
SELECT d.part, d.ticket_id, d.version, d.flow_id, d.flow_version, d.agent, d.at, d.body
  FROM json_populate_recordset(NULL::router.decision, $1::json) d
