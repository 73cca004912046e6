-- What depends on the present instant: the oldest wait, the overdue, and resolution times in working time of the
-- last 1 000 results (bounded, so that a board costs the same in ten years).
SELECT (SELECT min(f.queued_at) FROM analytics.ticket_fact f WHERE f.flow_id = $1 AND f.state = 'QUEUED') AS oldest_queued_at,
       (SELECT f.ticket_id FROM analytics.ticket_fact f WHERE f.flow_id = $1 AND f.state = 'QUEUED'
         ORDER BY f.queued_at LIMIT 1) AS oldest_ticket,
       (SELECT count(*) FROM analytics.ticket_fact f
         WHERE f.flow_id = $1 AND f.state IN ('QUEUED','ASSIGNED','IN_PROGRESS') AND f.due_at < $2) AS overdue,
       q.p50, q.p90
  FROM (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY l.consumed_us) AS p50,
               percentile_disc(0.9) WITHIN GROUP (ORDER BY l.consumed_us) AS p90
          FROM (SELECT f.consumed_us FROM analytics.ticket_fact f
                 WHERE f.flow_id = $1 AND f.resolved_at IS NOT NULL
                 ORDER BY f.resolved_at DESC LIMIT 1000) l) q
