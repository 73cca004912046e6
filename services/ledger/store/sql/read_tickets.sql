-- Whole tickets of part $1 with ids from $2 to $3, without locks, in the order of read_events.sql. Primary key.
SELECT t.part, t.id, t.version, t.number, t.flow_id, t.flow_version, t.caller, t.request_id, t.requester, t.department,
       t.channel, t.title, t.description, t.fields, t.urgency, t.impact, t.needed_today, t.needed_today_reason,
       t.created_at, t.state, t.assignee, t.sticky_agent, t.line, t.pending_line, t.priority, t.queued_at,
       t.queued_seq, t.queue_front, t.excluded, t.term_us, t.consumed_us, t.running_since, t.due_at, t.half_at,
       t.sla_gen, t.half_reminded, t.breached_at, t.escalation_level, t.first_response_due, t.first_response_at,
       t.first_response_breached, t.resolved_at, t.autoclose_at, t.closed_at, t.closure_no, t.rated_closure,
       t.rating, t.rating_comment, t.result, t.return_count, t.reopen_count, t.hops, t.comment_count, t.updated_at
  FROM ledger.ticket t
 WHERE t.part = $1 AND t.id >= $2::uuid AND t.id <= $3::uuid
 ORDER BY t.id
