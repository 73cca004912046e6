-- Every ticket has its fact, and the fact is the ticket's row as it is now. What analytics.fact_of says of one ticket is
-- said here of all at once: called for each of a million it takes over a minute.
SELECT t.part, t.id::text AS what, t.number || ': version ' || t.version || ', fact ' || coalesce(f.version, 0) AS detail
  FROM ledger.ticket t
  LEFT JOIN analytics.ticket_fact f ON f.part = t.part AND f.ticket_id = t.id
  LEFT JOIN (SELECT a.part, a.ticket_id, jsonb_object_agg(a.agent_id, a.n) AS assignments
               FROM (SELECT h.part, h.ticket_id, h.agent_id, count(*) AS n
                       FROM ledger.assignment h GROUP BY h.part, h.ticket_id, h.agent_id) a
              GROUP BY a.part, a.ticket_id) handed ON handed.part = t.part AND handed.ticket_id = t.id
 WHERE f IS DISTINCT FROM
       ROW(t.part, t.id, t.version, t.flow_id, t.department, t.channel, t.priority, t.state,
           (t.created_at AT TIME ZONE 'UTC')::date, coalesce(t.assignee, ''),
           CASE WHEN t.state IN ('RESOLVED','CLOSED','ARCHIVED') THEN coalesce(t.sticky_agent, '') ELSE '' END,
           t.queued_at, t.resolved_at, t.closed_at, t.due_at, t.term_us IS NOT NULL,
           t.breached_at IS NOT NULL OR coalesce(t.consumed_us >= t.term_us, false),
           t.consumed_us, t.rating, t.return_count, t.reopen_count,
           coalesce(handed.assignments, '{}'::jsonb))::analytics.ticket_fact
