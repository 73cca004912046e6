-- Everything a batch of commands changed, in one statement and one round trip. The arguments are arrays, one a column, in
-- four sets (PersistArguments makes them): tickets, some of them new; events, each with what stands beside it (words, an
-- answer to keep, the slot it takes: null where there is none); timers to arm; and kinds of timers that a ticket keeps, while
-- its others end.
-- Changed tickets are locked since they were read; the caller compares the count as the last line of defence.
WITH ticket_rows AS MATERIALIZED (
  SELECT n.* FROM unnest(
    $1::boolean[], $2::smallint[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::int[], $8::text[],
    $9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::smallint[],
    $17::smallint[], $18::boolean[], $19::text[], $20::timestamptz[], $21::text[], $22::text[], $23::text[],
    $24::smallint[], $25::smallint[], $26::smallint[], $27::timestamptz[], $28::bigint[], $29::boolean[],
    $30::text[], $31::bigint[], $32::bigint[], $33::timestamptz[], $34::timestamptz[], $35::timestamptz[],
    $36::int[], $37::boolean[], $38::timestamptz[], $39::smallint[], $40::timestamptz[], $41::timestamptz[],
    $42::boolean[], $43::timestamptz[], $44::timestamptz[], $45::timestamptz[], $46::int[], $47::int[],
    $48::smallint[], $49::text[], $50::text[], $51::int[], $52::int[], $53::int[], $54::int[], $55::timestamptz[]
  ) AS n(
    born, part, id, version, number, flow_id, flow_version, caller, request_id, requester, department, channel,
    title, description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, assignee,
    sticky_agent, line, pending_line, priority, queued_at, queued_seq, queue_front, excluded, term_us, consumed_us,
    running_since, due_at, half_at, sla_gen, half_reminded, breached_at, escalation_level, first_response_due,
    first_response_at, first_response_breached, resolved_at, autoclose_at, closed_at, closure_no, rated_closure,
    rating, rating_comment, result, return_count, reopen_count, hops, comment_count, updated_at)
), event_rows AS MATERIALIZED (
  SELECT n.* FROM unnest(
    $56::smallint[], $57::uuid[], $58::bigint[], $59::text[], $60::text[], $61::timestamptz[], $62::text[],
    $63::jsonb[], $64::smallint[], $65::text[], $66::text[], $67::uuid[], $68::text[], $69::text[], $70::text[],
    $71::text[], $72::int[], $73::int[]
  ) AS n(
    part, ticket_id, version, type, actor, at, state_after, body, topic, words, caller, request_id, method,
    body_hash, agent_id, flow_id, active_after, cap_at_assign)
), timer_rows AS MATERIALIZED (
  SELECT n.* FROM unnest(
    $74::smallint[], $75::uuid[], $76::text[], $77::int[], $78::timestamptz[]
  ) AS n(part, ticket_id, kind, gen, due_at)
), timer_ends AS MATERIALIZED (
  SELECT n.* FROM unnest(
    $79::smallint[], $80::uuid[], $81::text[], $82::text[]
  ) AS n(part, ticket_id, kept, fired)
), born AS (
  INSERT INTO ledger.ticket (
    part, id, version, number, flow_id, flow_version, caller, request_id, requester, department, channel, title,
    description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, assignee,
    sticky_agent, line, pending_line, priority, queued_at, queued_seq, queue_front, excluded, term_us, consumed_us,
    running_since, due_at, half_at, sla_gen, half_reminded, breached_at, escalation_level, first_response_due,
    first_response_at, first_response_breached, resolved_at, autoclose_at, closed_at, closure_no, rated_closure,
    rating, rating_comment, result, return_count, reopen_count, hops, comment_count, updated_at)
  SELECT
    n.part, n.id, n.version, n.number, n.flow_id, n.flow_version, n.caller, n.request_id, n.requester, n.department,
    n.channel, n.title, n.description, n.fields, n.urgency, n.impact, n.needed_today, n.needed_today_reason,
    n.created_at, n.state, n.assignee, n.sticky_agent, n.line, n.pending_line, n.priority, n.queued_at,
    n.queued_seq, n.queue_front, n.excluded::text[], n.term_us, n.consumed_us, n.running_since, n.due_at, n.half_at,
    n.sla_gen, n.half_reminded, n.breached_at, n.escalation_level, n.first_response_due, n.first_response_at,
    n.first_response_breached, n.resolved_at, n.autoclose_at, n.closed_at, n.closure_no, n.rated_closure, n.rating,
    n.rating_comment, n.result, n.return_count, n.reopen_count, n.hops, n.comment_count, n.updated_at
    FROM ticket_rows n WHERE n.born
), changed AS (
  UPDATE ledger.ticket t
     SET version = n.version, state = n.state, assignee = n.assignee, sticky_agent = n.sticky_agent,
         line = n.line, pending_line = n.pending_line, priority = n.priority, queued_at = n.queued_at,
         queued_seq = n.queued_seq, queue_front = n.queue_front, excluded = n.excluded::text[],
         term_us = n.term_us, consumed_us = n.consumed_us, running_since = n.running_since, due_at = n.due_at,
         half_at = n.half_at, sla_gen = n.sla_gen, half_reminded = n.half_reminded, breached_at = n.breached_at,
         escalation_level = n.escalation_level, first_response_due = n.first_response_due,
         first_response_at = n.first_response_at, first_response_breached = n.first_response_breached,
         resolved_at = n.resolved_at, autoclose_at = n.autoclose_at, closed_at = n.closed_at,
         closure_no = n.closure_no, rated_closure = n.rated_closure, rating = n.rating,
         rating_comment = n.rating_comment, result = n.result, return_count = n.return_count,
         reopen_count = n.reopen_count, hops = n.hops, comment_count = n.comment_count,
         updated_at = n.updated_at
    FROM ticket_rows n
   WHERE NOT n.born AND t.part = n.part AND t.id = n.id AND t.version < n.version
  RETURNING 1
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
), armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT a.part, a.ticket_id, a.kind, a.gen, a.due_at, 'armed'
    FROM timer_rows a
   WHERE NOT EXISTS (SELECT 1 FROM ledger.sla_timer s  -- as it is wanted: neither locked nor written
                      WHERE s.part = a.part AND s.ticket_id = a.ticket_id AND s.kind = a.kind AND s.gen = a.gen
                        AND s.due_at = a.due_at AND s.state <> 'cancelled')
  ON CONFLICT (part, ticket_id, kind) DO UPDATE
     SET gen = excluded.gen, due_at = excluded.due_at, state = 'armed', attempts = 0
), ended AS (
  UPDATE ledger.sla_timer s
     SET state = CASE WHEN s.kind = ANY (x.fired::text[]) THEN 'fired' ELSE 'cancelled' END
    FROM timer_ends x
   WHERE s.part = x.part AND s.ticket_id = x.ticket_id AND s.kind <> ALL (x.kept::text[]) AND s.state IN ('armed','parked')
), taken AS (
  INSERT INTO ledger.assignment (part, ticket_id, version, agent_id, flow_id, assigned_at, active_after, cap_at_assign)
  SELECT e.part, e.ticket_id, e.version, e.agent_id, e.flow_id, e.at, e.active_after, e.cap_at_assign
    FROM event_rows e WHERE e.agent_id IS NOT NULL
)
SELECT (SELECT count(*) FROM changed)
