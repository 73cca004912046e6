-- Everything a batch of commands changed, in one statement and one round trip. The arguments are arrays, one a column, in
-- six sets (PersistArguments makes them): tickets that are new, and tickets that changed; events, each with what stands
-- beside it (words, an answer to keep, the slot it takes: null where there is none); timers of new tickets, and timers to
-- arm anew; and kinds of timers that a ticket keeps, while its others end.
-- New tickets have their own set, though they could be written as the others: of their fifty columns half are what the
-- table says by itself, and each array costs as much as an index entry.
-- Changed tickets are locked since they were read; the caller compares the count as the last line of defence.
WITH born AS (
  INSERT INTO ledger.ticket (
    part, id, version, number, flow_id, flow_version, caller, request_id, requester, department, channel, title,
    description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, priority, queued_at,
    queued_seq, term_us, running_since, due_at, half_at, sla_gen, first_response_due, updated_at)
  SELECT
    n.part, n.id, 1, n.number, n.flow_id, n.flow_version, n.caller, n.request_id, n.requester, n.department,
    n.channel, n.title, n.description, n.fields, n.urgency, n.impact, n.needed_today, n.needed_today_reason,
    n.created_at, n.state, n.priority, n.queued_at, n.queued_seq, n.term_us, n.running_since, n.due_at, n.half_at,
    n.sla_gen, n.first_response_due, n.created_at
    FROM unnest(
         $1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::uuid[], $8::text[],
         $9::text[], $10::text[], $11::text[], $12::text[], $13::jsonb[], $14::smallint[], $15::smallint[],
         $16::boolean[], $17::text[], $18::timestamptz[], $19::text[], $20::smallint[], $21::timestamptz[],
         $22::bigint[], $23::bigint[], $24::timestamptz[], $25::timestamptz[], $26::timestamptz[], $27::int[],
         $28::timestamptz[]
       ) AS n(
         part, id, number, flow_id, flow_version, caller, request_id, requester, department, channel, title,
         description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, priority,
         queued_at, queued_seq, term_us, running_since, due_at, half_at, sla_gen, first_response_due)
), changed AS (
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
         $29::smallint[], $30::uuid[], $31::bigint[], $32::text[], $33::text[], $34::text[], $35::smallint[],
         $36::smallint[], $37::smallint[], $38::timestamptz[], $39::bigint[], $40::boolean[], $41::text[],
         $42::bigint[], $43::bigint[], $44::timestamptz[], $45::timestamptz[], $46::timestamptz[], $47::int[],
         $48::boolean[], $49::timestamptz[], $50::smallint[], $51::timestamptz[], $52::timestamptz[], $53::boolean[],
         $54::timestamptz[], $55::timestamptz[], $56::timestamptz[], $57::int[], $58::int[], $59::smallint[],
         $60::text[], $61::text[], $62::int[], $63::int[], $64::int[], $65::int[], $66::timestamptz[]
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
      $67::smallint[], $68::uuid[], $69::bigint[], $70::text[], $71::text[], $72::timestamptz[], $73::text[],
      $74::jsonb[], $75::smallint[], $76::text[], $77::text[], $78::uuid[], $79::text[], $80::text[], $81::text[],
      $82::text[], $83::int[], $84::int[]
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
), first_armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT n.part, n.ticket_id, n.kind, n.gen, n.due_at, 'armed'
    FROM unnest(
      $85::smallint[], $86::uuid[], $87::text[], $88::int[], $89::timestamptz[]
    ) AS n(
      part, ticket_id, kind, gen, due_at)
), armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT n.part, n.ticket_id, n.kind, n.gen, n.due_at, 'armed'
    FROM unnest(
         $90::smallint[], $91::uuid[], $92::text[], $93::int[], $94::timestamptz[]
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
         $95::smallint[], $96::uuid[], $97::text[], $98::text[]
       ) AS n(
         part, ticket_id, kept, fired)
   WHERE s.part = n.part AND s.ticket_id = n.ticket_id AND s.kind <> ALL (n.kept::text[]) AND s.state IN ('armed','parked')
)
SELECT (SELECT count(*) FROM changed)
