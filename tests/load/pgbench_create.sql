-- Writes what filing one request writes: ticket, event, outbox row, two timers, idempotency answer. One statement, one commit.
-- Numbers come from the random id: a counter row would make the clients wait for each other, which the comparison must not.
\set part random(0, 15)
\set who random(0, 31)
WITH new AS (
  SELECT gen_random_uuid() AS id, gen_random_uuid() AS request_id, clock_timestamp() AS at, :part::smallint AS part
), born AS (
  INSERT INTO ledger.ticket (part, id, version, number, flow_id, flow_version, caller, request_id, requester, channel, title,
                             description, urgency, impact, created_at, state, priority, queued_at, queued_seq, term_us,
                             running_since, due_at, half_at, sla_gen, updated_at)
  SELECT part, id, 1, 'LOAD-' || left(id::text, 8), 'load', 1, 'users/load-' || :who, request_id, 'load-' || :who, 'portal',
         'Request of a load', 'The printer on the second floor does not print, and the report is due.', 2, 2, at, 'QUEUED', 3,
         at, 1, 172800000000, at, at + interval '2 days', at + interval '1 day', 1, at
    FROM new
), happened AS (
  INSERT INTO ledger.ticket_event (part, ticket_id, version, type, actor, at, state_after, body)
  SELECT part, id, 1, 'created', 'users/load-' || :who, at, 'QUEUED',
         json_build_object('priority', 3, 'due', at + interval '2 days', 'flow', 'load', 'flow_version', 1)::jsonb
    FROM new
), posted AS (
  INSERT INTO ledger.outbox (part, topic, entity, version, type) SELECT part, 1, id, 1, 'created' FROM new
), answered AS (
  INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version)
  SELECT part, 'users/load-' || :who, request_id, '/potok.intake.v1.IntakeService/CreateTicket', md5(request_id::text), id, 1
    FROM new
)
INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
SELECT part, id, kind, 1, at + term, 'armed'
  FROM new, (VALUES ('half', interval '1 day'), ('breach', interval '2 days')) AS t (kind, term);
