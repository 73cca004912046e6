-- Everything that a batch of commands changed about tickets that were there, in one statement and one round trip. The
-- arguments are arrays, one a column, in four sets (PersistArguments makes them): tickets; events, each with what stands
-- beside it (words, an answer to keep, the slot it takes: null where there is none); timers to arm; and kinds of timers
-- that a ticket keeps, while its others end.
-- The tickets are locked since they were read; the caller compares the count as the last line of defence.
WITH changed AS (
  UPDATE ledger.ticket t
     SET version = n.version, state = n.state, assignee = n.assignee, sticky_agent = n.sticky_agent, line = n.line,
         pending_line = n.pending_line, priority = n.priority, queued_at = n.queued_at, queued_seq = n.queued_seq,
         queue_front = n.queue_front, excluded = n.excluded::text[], term_us = n.term_us, consumed_us = n.consumed_us,
         running_since = n.running_since, due_at = n.due_at, half_at = n.half_at, sla_gen = n.sla_gen, half_reminded =
         n.half_reminded, breached_at = n.breached_at, escalation_level = n.escalation_level, first_response_due =
         n.first_response_due, first_response_at = n.first_response_at, first_response_breached =
         n.first_response_breached, resolved_at = n.resolved_at, autoclose_at = n.autoclose_at, closed_at =
         n.closed_at, closure_no = n.closure_no, rated_closure = n.rated_closure, rating = n.rating, rating_comment =
         n.rating_comment, result = n.result, return_count = n.return_count, reopen_count = n.reopen_count, hops =
         n.hops, comment_count = n.comment_count, updated_at = n.updated_at
    FROM unnest(
         $1::smallint[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::smallint[],
         $8::smallint[], $9::smallint[], $10::timestamptz[], $11::bigint[], $12::boolean[], $13::text[],
         $14::bigint[], $15::bigint[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::int[],
         $20::boolean[], $21::timestamptz[], $22::smallint[], $23::timestamptz[], $24::timestamptz[], $25::boolean[],
         $26::timestamptz[], $27::timestamptz[], $28::timestamptz[], $29::int[], $30::int[], $31::smallint[],
         $32::text[], $33::text[], $34::int[], $35::int[], $36::int[], $37::int[], $38::timestamptz[]
       ) AS n(
         part, id, version, state, assignee, sticky_agent, line, pending_line, priority, queued_at, queued_seq,
         queue_front, excluded, term_us, consumed_us, running_since, due_at, half_at, sla_gen, half_reminded,
         breached_at, escalation_level, first_response_due, first_response_at, first_response_breached, resolved_at,
         autoclose_at, closed_at, closure_no, rated_closure, rating, rating_comment, result, return_count,
         reopen_count, hops, comment_count, updated_at)
   WHERE t.part = n.part AND t.id = n.id AND t.version < n.version
  RETURNING 1
), event_rows AS MATERIALIZED (
  SELECT n.* FROM unnest(
      $39::smallint[], $40::uuid[], $41::bigint[], $42::text[], $43::text[], $44::timestamptz[], $45::text[],
      $46::jsonb[], $47::smallint[], $48::text[], $49::text[], $50::uuid[], $51::text[], $52::text[], $53::text[],
      $54::text[], $55::int[], $56::int[]
    ) AS n(
      part, ticket_id, version, type, actor, at, state_after, body, topic, words, caller, request_id, method,
      body_hash, agent_id, flow_id, active_after, cap_at_assign)
), events AS (
  INSERT INTO ledger.ticket_event (part, ticket_id, version, type, actor, at, state_after, body)
  SELECT e.part, e.ticket_id, e.version, e.type, e.actor, e.at, e.state_after, e.body FROM event_rows e
), texts AS (
  INSERT INTO ledger.event_text (part, ticket_id, version, text)
  SELECT e.part, e.ticket_id, e.version, e.words FROM event_rows e WHERE e.words IS NOT NULL
), posted AS (
  INSERT INTO ledger.outbox (part, topic, entity, version, type)
  SELECT e.part, e.topic, e.ticket_id, e.version, e.type FROM event_rows e
), answered AS (
  INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version)
  SELECT e.part, e.caller, e.request_id, e.method, e.body_hash, e.ticket_id, e.version
    FROM event_rows e WHERE e.request_id IS NOT NULL
), taken AS (
  INSERT INTO ledger.assignment (part, ticket_id, version, agent_id, flow_id, assigned_at, active_after, cap_at_assign)
  SELECT e.part, e.ticket_id, e.version, e.agent_id, e.flow_id, e.at, e.active_after, e.cap_at_assign
    FROM event_rows e WHERE e.agent_id IS NOT NULL
), armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT n.part, n.ticket_id, n.kind, n.gen, n.due_at, 'armed'
    FROM unnest(
         $57::smallint[], $58::uuid[], $59::text[], $60::int[], $61::timestamptz[]
       ) AS n(
         part, ticket_id, kind, gen, due_at)
   WHERE NOT EXISTS (SELECT 1 FROM ledger.sla_timer s  -- as it is wanted: neither locked nor written
                      WHERE s.part = n.part AND s.ticket_id = n.ticket_id AND s.kind = n.kind AND s.gen = n.gen
                        AND s.due_at = n.due_at AND s.state <> 'cancelled')
  ON CONFLICT (part, ticket_id, kind) DO UPDATE
     SET gen = excluded.gen, due_at = excluded.due_at, state = 'armed', attempts = 0
), ended AS (
  UPDATE ledger.sla_timer s
     SET state = CASE WHEN s.kind = ANY (n.fired::text[]) THEN 'fired' ELSE 'cancelled' END
    FROM unnest(
         $62::smallint[], $63::uuid[], $64::text[], $65::text[]
       ) AS n(
         part, ticket_id, kept, fired)
   WHERE s.part = n.part AND s.ticket_id = n.ticket_id AND s.kind <> ALL (n.kept::text[]) AND s.state IN ('armed','parked')
)
SELECT (SELECT count(*) FROM changed)
