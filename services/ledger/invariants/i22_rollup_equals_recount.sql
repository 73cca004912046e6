-- The counters equal the sum of the facts' contributions.
SELECT x.part, x.flow_id || ' ' || coalesce(nullif(x.agent_id, ''), '(flow)') AS what, x.day || ' differs' AS detail
  FROM ((SELECT part, flow_id, agent_id, day, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened
           FROM analytics.rollup_day WHERE pending_approval <> 0 OR queued <> 0 OR assigned <> 0 OR in_progress <> 0 OR waiting <> 0 OR resolved <> 0 OR closed <> 0 OR cancelled <> 0 OR handed <> 0 OR finished <> 0 OR judged <> 0 OR on_time <> 0 OR rated <> 0 OR rating_sum <> 0 OR sent_back <> 0 OR reopened <> 0
         EXCEPT ALL
         SELECT part, flow_id, agent_id, day, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened
           FROM analytics.rollup_recomputed WHERE pending_approval <> 0 OR queued <> 0 OR assigned <> 0 OR in_progress <> 0 OR waiting <> 0 OR resolved <> 0 OR closed <> 0 OR cancelled <> 0 OR handed <> 0 OR finished <> 0 OR judged <> 0 OR on_time <> 0 OR rated <> 0 OR rating_sum <> 0 OR sent_back <> 0 OR reopened <> 0)
        UNION ALL
        (SELECT part, flow_id, agent_id, day, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened
           FROM analytics.rollup_recomputed WHERE pending_approval <> 0 OR queued <> 0 OR assigned <> 0 OR in_progress <> 0 OR waiting <> 0 OR resolved <> 0 OR closed <> 0 OR cancelled <> 0 OR handed <> 0 OR finished <> 0 OR judged <> 0 OR on_time <> 0 OR rated <> 0 OR rating_sum <> 0 OR sent_back <> 0 OR reopened <> 0
         EXCEPT ALL
         SELECT part, flow_id, agent_id, day, pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged, on_time, rated, rating_sum, sent_back, reopened
           FROM analytics.rollup_day WHERE pending_approval <> 0 OR queued <> 0 OR assigned <> 0 OR in_progress <> 0 OR waiting <> 0 OR resolved <> 0 OR closed <> 0 OR cancelled <> 0 OR handed <> 0 OR finished <> 0 OR judged <> 0 OR on_time <> 0 OR rated <> 0 OR rating_sum <> 0 OR sent_back <> 0 OR reopened <> 0)) x
