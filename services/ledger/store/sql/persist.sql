-- Everything a batch of commands changed, in one statement and one round trip. $1 new tickets, $2 changed
-- tickets, $3 events, $4 texts, $5 outbox rows, $6 answers to keep, $7 timers to arm, $8 kinds of timers to keep
-- (all others of the ticket end), $9 assignments: each a JSON array, of rows of its table where it has one.
-- Changed tickets are locked since they were read; the caller compares the count as the last line of defence.
WITH born AS (
  INSERT INTO ledger.ticket (
    part, id, version, number, flow_id, flow_version, caller, request_id, requester, department,
    channel, title, description, fields, urgency, impact, needed_today, needed_today_reason,
    created_at, state, assignee, sticky_agent, line, pending_line, priority, queued_at, queued_seq,
    queue_front, excluded, term_us, consumed_us, running_since, due_at, half_at, sla_gen,
    half_reminded, breached_at, escalation_level, first_response_due, first_response_at,
    first_response_breached, resolved_at, autoclose_at, closed_at, closure_no, rated_closure, rating,
    rating_comment, result, return_count, reopen_count, hops, comment_count, updated_at)
  SELECT
    n.part, n.id, n.version, n.number, n.flow_id, n.flow_version, n.caller, n.request_id,
    n.requester, n.department, n.channel, n.title, n.description, n.fields, n.urgency, n.impact,
    n.needed_today, n.needed_today_reason, n.created_at, n.state, n.assignee, n.sticky_agent, n.line,
    n.pending_line, n.priority, n.queued_at, n.queued_seq, n.queue_front, n.excluded, n.term_us,
    n.consumed_us, n.running_since, n.due_at, n.half_at, n.sla_gen, n.half_reminded, n.breached_at,
    n.escalation_level, n.first_response_due, n.first_response_at, n.first_response_breached,
    n.resolved_at, n.autoclose_at, n.closed_at, n.closure_no, n.rated_closure, n.rating,
    n.rating_comment, n.result, n.return_count, n.reopen_count, n.hops, n.comment_count,
    n.updated_at
    FROM json_populate_recordset(NULL::ledger.ticket, $1::json) n
), changed AS (
  UPDATE ledger.ticket t
     SET version = n.version,
         state = n.state, assignee = n.assignee, sticky_agent = n.sticky_agent, line = n.line,
         pending_line = n.pending_line, priority = n.priority, queued_at = n.queued_at,
         queued_seq = n.queued_seq, queue_front = n.queue_front, excluded = n.excluded,
         term_us = n.term_us, consumed_us = n.consumed_us, running_since = n.running_since,
         due_at = n.due_at, half_at = n.half_at, sla_gen = n.sla_gen,
         half_reminded = n.half_reminded, breached_at = n.breached_at,
         escalation_level = n.escalation_level, first_response_due = n.first_response_due,
         first_response_at = n.first_response_at,
         first_response_breached = n.first_response_breached, resolved_at = n.resolved_at,
         autoclose_at = n.autoclose_at, closed_at = n.closed_at, closure_no = n.closure_no,
         rated_closure = n.rated_closure, rating = n.rating, rating_comment = n.rating_comment,
         result = n.result, return_count = n.return_count, reopen_count = n.reopen_count,
         hops = n.hops, comment_count = n.comment_count, updated_at = n.updated_at
    FROM json_populate_recordset(NULL::ledger.ticket, $2::json) n
   WHERE t.part = n.part AND t.id = n.id AND t.version < n.version
  RETURNING 1
), events AS (
  INSERT INTO ledger.ticket_event (part, ticket_id, version, type, actor, at, state_after, body)
  SELECT e.part, e.ticket_id, e.version, e.type, e.actor, e.at, e.state_after, e.body
    FROM json_populate_recordset(NULL::ledger.ticket_event, $3::json) e
), texts AS (
  INSERT INTO ledger.event_text (part, ticket_id, version, text)
  SELECT x.part, x.ticket_id, x.version, x.text
    FROM json_populate_recordset(NULL::ledger.event_text, $4::json) x
), posted AS (
  INSERT INTO ledger.outbox (part, topic, entity, version, type)
  SELECT o.part, o.topic, o.entity, o.version, o.type
    FROM json_to_recordset($5::json) AS o(part smallint, topic smallint, entity uuid, version bigint, type text)
), answered AS (
  INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version)
  SELECT i.part, i.caller, i.request_id, i.method, i.body_hash, i.ticket_id, i.version
    FROM json_populate_recordset(NULL::ledger.idem, $6::json) i
), armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT a.part, a.ticket_id, a.kind, a.gen, a.due_at, 'armed'
    FROM json_populate_recordset(NULL::ledger.sla_timer, $7::json) a
   WHERE NOT EXISTS (SELECT 1 FROM ledger.sla_timer s  -- as it is wanted: neither locked nor written
                      WHERE s.part = a.part AND s.ticket_id = a.ticket_id AND s.kind = a.kind AND s.gen = a.gen
                        AND s.due_at = a.due_at AND s.state <> 'cancelled')
  ON CONFLICT (part, ticket_id, kind) DO UPDATE
     SET gen = excluded.gen, due_at = excluded.due_at, state = 'armed', attempts = 0
), ended AS (
  UPDATE ledger.sla_timer s
     SET state = CASE WHEN s.kind = ANY (x.fired) THEN 'fired' ELSE 'cancelled' END
    FROM json_to_recordset($8::json) AS x(part smallint, ticket_id uuid, kept text[], fired text[])
   WHERE s.part = x.part AND s.ticket_id = x.ticket_id AND s.kind <> ALL (x.kept) AND s.state IN ('armed','parked')
), taken AS (
  INSERT INTO ledger.assignment (part, ticket_id, version, agent_id, flow_id, assigned_at, active_after, cap_at_assign)
  SELECT h.part, h.ticket_id, h.version, h.agent_id, h.flow_id, h.assigned_at, h.active_after, h.cap_at_assign
    FROM json_populate_recordset(NULL::ledger.assignment, $9::json) h
)
SELECT (SELECT count(*) FROM changed)
