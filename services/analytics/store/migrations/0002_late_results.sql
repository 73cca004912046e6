-- A result that came after its term is late also when no timer said so: between the due instant and the fire, or
-- while nobody fired timers, a ticket could be resolved and count as on time. Who has used up the term is late; the
-- due instant is the one at which consumed time reaches the term.
CREATE OR REPLACE FUNCTION analytics.fact_of(t ledger.ticket) RETURNS analytics.ticket_fact LANGUAGE sql STABLE AS $$
  SELECT ROW(t.part, t.id, t.version, t.flow_id, t.department, t.channel, t.priority, t.state,
             (t.created_at AT TIME ZONE 'UTC')::date, coalesce(t.assignee, ''),
             CASE WHEN t.state IN ('RESOLVED','CLOSED','ARCHIVED') THEN coalesce(t.sticky_agent, '') ELSE '' END,
             t.queued_at, t.resolved_at, t.closed_at, t.due_at, t.term_us IS NOT NULL,
             t.breached_at IS NOT NULL OR coalesce(t.consumed_us >= t.term_us, false),
             t.consumed_us, t.rating, t.return_count, t.reopen_count,
             coalesce((SELECT jsonb_object_agg(a.agent_id, a.n)
                         FROM (SELECT h.agent_id, count(*) AS n FROM ledger.assignment h
                                WHERE h.part = t.part AND h.ticket_id = t.id GROUP BY h.agent_id) a),
                      '{}'::jsonb))::analytics.ticket_fact
$$;

-- What was counted by the old reading.
UPDATE analytics.ticket_fact f SET breached = true
  FROM ledger.ticket t
 WHERE t.part = f.part AND t.id = f.ticket_id AND t.version = f.version AND NOT f.breached AND t.consumed_us >= t.term_us;
TRUNCATE analytics.rollup_day;
INSERT INTO analytics.rollup_day SELECT * FROM analytics.rollup_recomputed;
