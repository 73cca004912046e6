-- Tickets by part and id, each with the reason for which it is still queued, as far as the router has looked at it. The
-- columns are those of ledger/history.h.
SELECT t.part, t.id, t.version, t.number, t.flow_id, t.flow_version, t.caller, t.request_id, t.requester, t.department,
       t.channel, t.title, t.description, t.fields, t.urgency, t.impact, t.needed_today, t.needed_today_reason,
       t.created_at, t.state, t.assignee, t.sticky_agent, t.line, t.pending_line, t.priority, t.queued_at,
       t.queued_seq, t.queue_front, t.excluded, t.term_us, t.consumed_us, t.running_since, t.due_at, t.half_at,
       t.sla_gen, t.half_reminded, t.breached_at, t.escalation_level, t.first_response_due, t.first_response_at,
       t.first_response_breached, t.resolved_at, t.autoclose_at, t.closed_at, t.closure_no, t.rated_closure,
       t.rating, t.rating_comment, t.result, t.return_count, t.reopen_count, t.hops, t.comment_count, t.updated_at,
       q.reason AS queue_reason
  FROM unnest($1::smallint[], $2::uuid[]) AS w (part, id)
  JOIN ledger.ticket t ON t.part = w.part AND t.id = w.id
  LEFT JOIN router.queue_entry q ON q.part = t.part AND q.ticket_id = t.id
