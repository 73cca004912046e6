-- The same fact of a ticket, with a plan that a session makes once instead of in each statement
-- (ledger/store/migrations/0006_business_now_planned_once.sql).
CREATE OR REPLACE FUNCTION analytics.fact_of(t ledger.ticket) RETURNS analytics.ticket_fact LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ROW(t.part, t.id, t.version, t.flow_id, t.department, t.channel, t.priority, t.state,
             (t.created_at AT TIME ZONE 'UTC')::date, coalesce(t.assignee, ''),
             CASE WHEN t.state IN ('RESOLVED','CLOSED','ARCHIVED') THEN coalesce(t.sticky_agent, '') ELSE '' END,
             t.queued_at, t.resolved_at, t.closed_at, t.due_at, t.term_us IS NOT NULL,
             t.breached_at IS NOT NULL OR coalesce(t.consumed_us >= t.term_us, false),
             t.consumed_us, t.rating, t.return_count, t.reopen_count,
             coalesce((SELECT jsonb_object_agg(a.agent_id, a.n)
                         FROM (SELECT h.agent_id, count(*) AS n FROM ledger.assignment h
                                WHERE h.part = t.part AND h.ticket_id = t.id GROUP BY h.agent_id) a),
                      '{}'::jsonb))::analytics.ticket_fact;
END $$;
