-- The totals that boards read equal the sum of the days.
WITH total AS (
  SELECT flow_id, part, agent_id, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened
    FROM analytics.rollup_total WHERE pending_approval <> 0 OR queued <> 0 OR assigned <> 0 OR in_progress <> 0 OR waiting <> 0 OR resolved <> 0 OR closed <> 0 OR cancelled <> 0 OR handed <> 0 OR finished <> 0 OR judged <> 0 OR on_time <> 0 OR rated <> 0 OR rating_sum <> 0 OR sent_back <> 0 OR reopened <> 0
), days AS (
  SELECT flow_id, part, agent_id, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened
    FROM (SELECT flow_id, part, agent_id, sum(pending_approval)::bigint AS pending_approval, sum(queued)::bigint AS queued, sum(assigned)::bigint AS assigned, sum(in_progress)::bigint AS in_progress, sum(waiting)::bigint AS waiting, sum(resolved)::bigint AS resolved, sum(closed)::bigint AS closed, sum(cancelled)::bigint AS cancelled, sum(handed)::bigint AS handed, sum(finished)::bigint AS finished, sum(judged)::bigint AS judged, sum(on_time)::bigint AS on_time, sum(rated)::bigint AS rated, sum(rating_sum)::bigint AS rating_sum, sum(sent_back)::bigint AS sent_back, sum(reopened)::bigint AS reopened
            FROM analytics.rollup_day GROUP BY flow_id, part, agent_id) s WHERE pending_approval <> 0 OR queued <> 0 OR assigned <> 0 OR in_progress <> 0 OR waiting <> 0 OR resolved <> 0 OR closed <> 0 OR cancelled <> 0 OR handed <> 0 OR finished <> 0 OR judged <> 0 OR on_time <> 0 OR rated <> 0 OR rating_sum <> 0 OR sent_back <> 0 OR reopened <> 0
)
SELECT x.part, x.flow_id || ' ' || coalesce(nullif(x.agent_id, ''), '(flow)') AS what, 'the total differs from its days' AS detail
  FROM ((TABLE total EXCEPT ALL TABLE days) UNION ALL (TABLE days EXCEPT ALL TABLE total)) x
