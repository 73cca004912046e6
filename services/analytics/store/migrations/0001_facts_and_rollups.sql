-- What is going on: one fact a ticket, and counters that are the sum of the facts' contributions.
-- Two functions are the only definition of both: the consumer applies (new - old), the check recomputes.
CREATE SCHEMA IF NOT EXISTS analytics;
GRANT USAGE ON SCHEMA analytics TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
ALTER DEFAULT PRIVILEGES IN SCHEMA analytics
  GRANT SELECT ON TABLES TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;

CREATE TABLE analytics.ticket_fact (
  part          smallint    NOT NULL,
  ticket_id     uuid        NOT NULL,
  version       bigint      NOT NULL,
  flow_id       text        NOT NULL,
  department    text        NOT NULL,
  channel       text        NOT NULL,
  priority      smallint    NOT NULL,
  state         text        NOT NULL,
  day           date        NOT NULL,   -- UTC day of filing
  holder        text        NOT NULL,   -- '' = nobody
  resolver      text        NOT NULL,   -- of the last result, '' = none yet
  queued_at     timestamptz,
  resolved_at   timestamptz,
  closed_at     timestamptz,
  due_at        timestamptz,
  has_term      boolean     NOT NULL,
  breached      boolean     NOT NULL,
  consumed_us   bigint      NOT NULL,
  rating        smallint,
  return_count  int         NOT NULL,
  reopen_count  int         NOT NULL,
  assignments   jsonb       NOT NULL,   -- agent -> times it was handed to them
  PRIMARY KEY (part, ticket_id)
);
-- The oldest wait and the overdue of a flow; finished tickets leave these indexes.
CREATE INDEX ticket_fact_queue ON analytics.ticket_fact (flow_id, queued_at) WHERE state = 'QUEUED';
CREATE INDEX ticket_fact_open_due ON analytics.ticket_fact (flow_id, due_at)
  WHERE state IN ('QUEUED','ASSIGNED','IN_PROGRESS');
-- Resolution times of the last results of a flow.
CREATE INDEX ticket_fact_resolved ON analytics.ticket_fact (flow_id, resolved_at DESC) WHERE resolved_at IS NOT NULL;

-- A ticket's row as a fact.
CREATE FUNCTION analytics.fact_of(t ledger.ticket) RETURNS analytics.ticket_fact LANGUAGE sql STABLE AS $$
  SELECT ROW(t.part, t.id, t.version, t.flow_id, t.department, t.channel, t.priority, t.state,
             (t.created_at AT TIME ZONE 'UTC')::date, coalesce(t.assignee, ''),
             CASE WHEN t.state IN ('RESOLVED','CLOSED','ARCHIVED') THEN coalesce(t.sticky_agent, '') ELSE '' END,
             t.queued_at, t.resolved_at, t.closed_at, t.due_at, t.term_us IS NOT NULL, t.breached_at IS NOT NULL,
             t.consumed_us, t.rating, t.return_count, t.reopen_count,
             coalesce((SELECT jsonb_object_agg(a.agent_id, a.n)
                         FROM (SELECT h.agent_id, count(*) AS n FROM ledger.assignment h
                                WHERE h.part = t.part AND h.ticket_id = t.id GROUP BY h.agent_id) a),
                      '{}'::jsonb))::analytics.ticket_fact
$$;

-- Counters by part (owners of different parts never share a row), flow, agent ('' = the flow itself) and day of
-- filing. Read by summing.
CREATE TABLE analytics.rollup_day (
  part             smallint NOT NULL,
  flow_id          text     NOT NULL,
  agent_id         text     NOT NULL,
  day              date     NOT NULL,
  pending_approval bigint   NOT NULL,
  queued           bigint   NOT NULL,
  assigned         bigint   NOT NULL,
  in_progress      bigint   NOT NULL,
  waiting          bigint   NOT NULL,
  resolved         bigint   NOT NULL,
  closed           bigint   NOT NULL,
  cancelled        bigint   NOT NULL,
  handed           bigint   NOT NULL,  -- times a ticket was handed to the agent
  finished         bigint   NOT NULL,  -- resolved by the agent, or of the flow
  judged           bigint   NOT NULL,  -- finished with a term
  on_time          bigint   NOT NULL,
  rated            bigint   NOT NULL,
  rating_sum       bigint   NOT NULL,
  sent_back        bigint   NOT NULL,
  reopened         bigint   NOT NULL,
  PRIMARY KEY (part, flow_id, agent_id, day)
);

-- What a fact adds to the counters: one row for the flow, one for the resolver or holder, one for each agent it
-- was handed to. Rows of one agent are summed by whoever uses them.
CREATE FUNCTION analytics.contribution(f analytics.ticket_fact) RETURNS SETOF analytics.rollup_day
LANGUAGE sql IMMUTABLE AS $$
  WITH done AS (SELECT f.state IN ('RESOLVED','CLOSED','ARCHIVED') AS yes)
  SELECT f.part, f.flow_id, who.agent, f.day,
         (f.state = 'PENDING_APPROVAL')::int::bigint, (f.state = 'QUEUED')::int::bigint, (f.state = 'ASSIGNED')::int::bigint,
         (f.state = 'IN_PROGRESS')::int::bigint, (f.state = 'WAITING')::int::bigint, (f.state = 'RESOLVED')::int::bigint,
         (f.state IN ('CLOSED','ARCHIVED'))::int::bigint, (f.state = 'CANCELLED')::int::bigint,
         0::bigint,
         done.yes::int::bigint, (done.yes AND f.has_term)::int::bigint, (done.yes AND f.has_term AND NOT f.breached)::int::bigint,
         (f.rating IS NOT NULL)::int::bigint, coalesce(f.rating, 0)::bigint,
         f.return_count::bigint, f.reopen_count::bigint
    FROM done, (SELECT '' AS agent
                UNION ALL SELECT coalesce(nullif(f.holder, ''), f.resolver)
                 WHERE coalesce(nullif(f.holder, ''), f.resolver) <> '') who
  UNION ALL
  SELECT f.part, f.flow_id, h.key, f.day, 0,0,0,0,0,0,0,0, h.value::bigint, 0,0,0,0,0,0,0
    FROM jsonb_each_text(f.assignments) h
$$;

-- The counters as they must be: recomputed from all facts. Zero rows are left out on both sides of the check.
CREATE VIEW analytics.rollup_recomputed AS
SELECT c.part, c.flow_id, c.agent_id, c.day,
       sum(c.pending_approval)::bigint AS pending_approval, sum(c.queued)::bigint AS queued, sum(c.assigned)::bigint AS assigned,
       sum(c.in_progress)::bigint AS in_progress, sum(c.waiting)::bigint AS waiting, sum(c.resolved)::bigint AS resolved,
       sum(c.closed)::bigint AS closed, sum(c.cancelled)::bigint AS cancelled, sum(c.handed)::bigint AS handed,
       sum(c.finished)::bigint AS finished, sum(c.judged)::bigint AS judged, sum(c.on_time)::bigint AS on_time,
       sum(c.rated)::bigint AS rated, sum(c.rating_sum)::bigint AS rating_sum, sum(c.sent_back)::bigint AS sent_back,
       sum(c.reopened)::bigint AS reopened
  FROM analytics.ticket_fact f, LATERAL analytics.contribution(f) c
 GROUP BY c.part, c.flow_id, c.agent_id, c.day;

GRANT INSERT, UPDATE, DELETE ON analytics.ticket_fact, analytics.rollup_day TO potok_analytics;
