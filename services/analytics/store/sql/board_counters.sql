-- The counters of a flow over all time; agent '' is the flow itself.
SELECT r.agent_id, sum(r.pending_approval)::bigint AS pending_approval, sum(r.queued)::bigint AS queued, sum(r.assigned)::bigint AS assigned, sum(r.in_progress)::bigint AS in_progress, sum(r.waiting)::bigint AS waiting, sum(r.resolved)::bigint AS resolved, sum(r.closed)::bigint AS closed, sum(r.cancelled)::bigint AS cancelled, sum(r.handed)::bigint AS handed, sum(r.finished)::bigint AS finished, sum(r.judged)::bigint AS judged, sum(r.on_time)::bigint AS on_time, sum(r.rated)::bigint AS rated, sum(r.rating_sum)::bigint AS rating_sum, sum(r.sent_back)::bigint AS sent_back, sum(r.reopened)::bigint AS reopened
  FROM analytics.rollup_total r
 WHERE r.flow_id = $1
 GROUP BY r.agent_id
 ORDER BY r.agent_id
