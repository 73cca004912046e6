-- Everything a batch of commands changed, in one statement and one round trip. The arguments are arrays, one a column, in
-- seven sets (PersistArguments makes them): numbers to take, so many of a flow; tickets that are new, and tickets that
-- changed; events, each with what stands beside it (words, an answer to keep, the slot it takes: null where there is
-- none); timers of new tickets, and timers to arm anew; and kinds of timers that a ticket keeps, while its others end.
-- New tickets have their own set, though they could be written as the others: of their fifty columns half are what the
-- table says by itself, and each array costs as much as an index entry.
-- Numbers are taken inside the transaction, so that none is ever skipped, and everybody else who files into the flow then
-- waits for its end. So what can be written before is: the counts in the first row of the answer are read in their order,
-- and make the inserts happen in it. That row's number is how many tickets changed; the others are the new tickets.
-- Changed tickets are locked since they were read; the caller compares the count as the last line of defence.
WITH numbers AS (
  INSERT INTO ledger.flow_counter AS c (flow_id, next)
  SELECT n.flow_id, n.count + 1 FROM unnest($1::text[], $2::bigint[]) AS n(flow_id, count) ORDER BY n.flow_id
  ON CONFLICT (flow_id) DO UPDATE SET next = c.next + excluded.next - 1
  RETURNING flow_id, next
), born AS (
  INSERT INTO ledger.ticket (
    part, id, version, number, flow_id, flow_version, caller, request_id, requester, department, channel, title,
    description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, priority, queued_at,
    queued_seq, term_us, running_since, due_at, half_at, sla_gen, first_response_due, updated_at)
  SELECT
    n.part, n.id, 1, n.prefix || '-' || lpad(x.no::text, greatest(6, length(x.no::text)), '0'), n.flow_id,
    n.flow_version, n.caller, n.request_id, n.requester, n.department, n.channel, n.title, n.description, n.fields,
    n.urgency, n.impact, n.needed_today, n.needed_today_reason, n.created_at, n.state, n.priority, n.queued_at, n.queued_seq, n.term_us, n.running_since, n.due_at, n.half_at,
    n.sla_gen, n.first_response_due, n.created_at
    FROM unnest(
         $3::smallint[], $4::uuid[], $5::text[], $6::int[], $7::text[], $8::int[], $9::text[], $10::uuid[], $11::text[],
         $12::text[], $13::text[], $14::text[], $15::text[], $16::jsonb[], $17::smallint[], $18::smallint[],
         $19::boolean[], $20::text[], $21::timestamptz[], $22::text[], $23::smallint[], $24::timestamptz[],
         $25::bigint[], $26::bigint[], $27::timestamptz[], $28::timestamptz[], $29::timestamptz[], $30::int[],
         $31::timestamptz[]
       ) AS n(
         part, id, prefix, place, flow_id, flow_version, caller, request_id, requester, department, channel, title,
         description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, priority,
         queued_at, queued_seq, term_us, running_since, due_at, half_at, sla_gen, first_response_due)
    JOIN numbers f ON f.flow_id = n.flow_id
   CROSS JOIN LATERAL (SELECT f.next + n.place AS no) x
  RETURNING id, number
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
         $32::smallint[], $33::uuid[], $34::bigint[], $35::text[], $36::text[], $37::text[], $38::smallint[],
         $39::smallint[], $40::smallint[], $41::timestamptz[], $42::bigint[], $43::boolean[], $44::text[],
         $45::bigint[], $46::bigint[], $47::timestamptz[], $48::timestamptz[], $49::timestamptz[], $50::int[],
         $51::boolean[], $52::timestamptz[], $53::smallint[], $54::timestamptz[], $55::timestamptz[], $56::boolean[],
         $57::timestamptz[], $58::timestamptz[], $59::timestamptz[], $60::int[], $61::int[], $62::smallint[],
         $63::text[], $64::text[], $65::int[], $66::int[], $67::int[], $68::int[], $69::timestamptz[]
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
      $70::smallint[], $71::uuid[], $72::bigint[], $73::text[], $74::text[], $75::timestamptz[], $76::text[],
      $77::jsonb[], $78::smallint[], $79::text[], $80::text[], $81::uuid[], $82::text[], $83::text[], $84::text[],
      $85::text[], $86::int[], $87::int[]
    ) AS n(
      part, ticket_id, version, type, actor, at, state_after, body, topic, words, caller, request_id, method,
      body_hash, agent_id, flow_id, active_after, cap_at_assign)
), events AS (
  INSERT INTO ledger.ticket_event (part, ticket_id, version, type, actor, at, state_after, body)
  SELECT e.part, e.ticket_id, e.version, e.type, e.actor, e.at, e.state_after, e.body FROM event_rows e
  RETURNING 1
), texts AS (
  INSERT INTO ledger.event_text (part, ticket_id, version, text)
  SELECT e.part, e.ticket_id, e.version, e.words FROM event_rows e WHERE e.words IS NOT NULL
), posted AS (
  INSERT INTO ledger.outbox (part, topic, entity, version, type)
  SELECT e.part, e.topic, e.ticket_id, e.version, e.type FROM event_rows e
  RETURNING 1
), answered AS (
  INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version)
  SELECT e.part, e.caller, e.request_id, e.method, e.body_hash, e.ticket_id, e.version
    FROM event_rows e WHERE e.request_id IS NOT NULL
  RETURNING 1
), taken AS (
  INSERT INTO ledger.assignment (part, ticket_id, version, agent_id, flow_id, assigned_at, active_after, cap_at_assign)
  SELECT e.part, e.ticket_id, e.version, e.agent_id, e.flow_id, e.at, e.active_after, e.cap_at_assign
    FROM event_rows e WHERE e.agent_id IS NOT NULL
), first_armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT n.part, n.ticket_id, n.kind, n.gen, n.due_at, 'armed'
    FROM unnest(
      $88::smallint[], $89::uuid[], $90::text[], $91::int[], $92::timestamptz[]
    ) AS n(
      part, ticket_id, kind, gen, due_at)
  RETURNING 1
), armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT n.part, n.ticket_id, n.kind, n.gen, n.due_at, 'armed'
    FROM unnest(
         $93::smallint[], $94::uuid[], $95::text[], $96::int[], $97::timestamptz[]
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
         $98::smallint[], $99::uuid[], $100::text[], $101::text[]
       ) AS n(
         part, ticket_id, kept, fired)
   WHERE s.part = n.part AND s.ticket_id = n.ticket_id AND s.kind <> ALL (n.kept::text[]) AND s.state IN ('armed','parked')
)
SELECT NULL::uuid AS id, (SELECT count(*) FROM changed)::text AS number, (SELECT count(*) FROM events) AS events,
       (SELECT count(*) FROM posted) AS posted, (SELECT count(*) FROM answered) AS answered,
       (SELECT count(*) FROM first_armed) AS armed
 UNION ALL
SELECT b.id, b.number, NULL, NULL, NULL, NULL FROM born b
