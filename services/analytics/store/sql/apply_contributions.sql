-- Brings the facts of the touched tickets up to date and moves the counters by (new - old), in one statement. A
-- fact never goes back to an older version, so repeats and reordering change nothing. NOT (x IS NULL) on purpose: a
-- composite IS NOT NULL only when each of its fields is.
WITH touched AS (
  SELECT DISTINCT w.part, w.id FROM unnest($1::smallint[], $2::uuid[]) AS w(part, id)
), moved AS MATERIALIZED (
  SELECT analytics.fact_of(t) AS new_fact, o AS old_fact
    FROM touched w
    JOIN ledger.ticket t ON t.part = w.part AND t.id = w.id
    LEFT JOIN analytics.ticket_fact o ON o.part = w.part AND o.ticket_id = w.id
   WHERE o.version IS NULL OR o.version < t.version
), stored AS (
  INSERT INTO analytics.ticket_fact AS k
      (part, ticket_id, version, flow_id, department, channel, priority, state, day, holder, resolver, queued_at, resolved_at,
       closed_at, due_at, has_term, breached, consumed_us, rating, return_count, reopen_count, assignments)
  SELECT (m.new_fact).part, (m.new_fact).ticket_id, (m.new_fact).version, (m.new_fact).flow_id, (m.new_fact).department, (m.new_fact).channel, (m.new_fact).priority, (m.new_fact).state, (m.new_fact).day, (m.new_fact).holder, (m.new_fact).resolver, (m.new_fact).queued_at, (m.new_fact).resolved_at, (m.new_fact).closed_at, (m.new_fact).due_at, (m.new_fact).has_term, (m.new_fact).breached, (m.new_fact).consumed_us, (m.new_fact).rating, (m.new_fact).return_count, (m.new_fact).reopen_count, (m.new_fact).assignments
    FROM moved m
  ON CONFLICT (part, ticket_id) DO UPDATE SET
      version = excluded.version, flow_id = excluded.flow_id, department = excluded.department, channel = excluded.channel, priority = excluded.priority, state = excluded.state, day = excluded.day, holder = excluded.holder, resolver = excluded.resolver, queued_at = excluded.queued_at, resolved_at = excluded.resolved_at, closed_at = excluded.closed_at, due_at = excluded.due_at, has_term = excluded.has_term, breached = excluded.breached, consumed_us = excluded.consumed_us, rating = excluded.rating, return_count = excluded.return_count, reopen_count = excluded.reopen_count, assignments = excluded.assignments
), diff AS (
  SELECT d.part, d.flow_id, d.agent_id, d.day, sum(d.sign * d.pending_approval)::bigint AS pending_approval, sum(d.sign * d.queued)::bigint AS queued, sum(d.sign * d.assigned)::bigint AS assigned, sum(d.sign * d.in_progress)::bigint AS in_progress, sum(d.sign * d.waiting)::bigint AS waiting, sum(d.sign * d.resolved)::bigint AS resolved, sum(d.sign * d.closed)::bigint AS closed, sum(d.sign * d.cancelled)::bigint AS cancelled, sum(d.sign * d.handed)::bigint AS handed, sum(d.sign * d.finished)::bigint AS finished, sum(d.sign * d.judged)::bigint AS judged, sum(d.sign * d.on_time)::bigint AS on_time, sum(d.sign * d.rated)::bigint AS rated, sum(d.sign * d.rating_sum)::bigint AS rating_sum, sum(d.sign * d.sent_back)::bigint AS sent_back, sum(d.sign * d.reopened)::bigint AS reopened
    FROM (SELECT 1 AS sign, c.* FROM moved m, LATERAL analytics.contribution(m.new_fact) c
          UNION ALL
          SELECT -1, c.* FROM moved m, LATERAL analytics.contribution(m.old_fact) c WHERE NOT (m.old_fact IS NULL)) d
   GROUP BY d.part, d.flow_id, d.agent_id, d.day
   ORDER BY d.part, d.flow_id, d.agent_id, d.day
)
INSERT INTO analytics.rollup_day AS r
  (part, flow_id, agent_id, day, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened)
SELECT part, flow_id, agent_id, day, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened
  FROM diff
ON CONFLICT (part, flow_id, agent_id, day) DO UPDATE SET
  pending_approval = r.pending_approval + excluded.pending_approval, queued = r.queued + excluded.queued, assigned = r.assigned + excluded.assigned, in_progress = r.in_progress + excluded.in_progress, waiting = r.waiting + excluded.waiting, resolved = r.resolved + excluded.resolved, closed = r.closed + excluded.closed, cancelled = r.cancelled + excluded.cancelled, handed = r.handed + excluded.handed, finished = r.finished + excluded.finished, judged = r.judged + excluded.judged, on_time = r.on_time + excluded.on_time, rated = r.rated + excluded.rated, rating_sum = r.rating_sum + excluded.rating_sum, sent_back = r.sent_back + excluded.sent_back, reopened = r.reopened + excluded.reopened
