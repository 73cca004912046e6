-- Every event is in the outbox or the log exactly once, and nothing is there that is no event. The log keeps 14 days
-- of real time, and an event's instant is business time: older events may have left the log, but not be in it twice.
WITH sent AS (
  SELECT part, entity, version FROM ledger.outbox UNION ALL SELECT part, entity, version FROM ledger.event_log
)
SELECT e.part, e.ticket_id::text AS what, 'version ' || e.version || ': in outbox and log ' || count(x.entity) || ' times' AS detail
  FROM ledger.ticket_event e
  LEFT JOIN sent x ON x.entity = e.ticket_id AND x.version = e.version
 CROSS JOIN (SELECT ledger.business_now()
                      - interval '13 days' * least(3000, coalesce((SELECT o.scale FROM ledger.clock_origin o), 1)) AS kept_since) k
 GROUP BY e.part, e.ticket_id, e.version, e.at, k.kept_since
HAVING count(x.entity) > 1 OR (count(x.entity) = 0 AND e.at > k.kept_since)
UNION ALL
SELECT x.part, x.entity::text, 'version ' || x.version || ': announced, but there is no such event'
  FROM sent x
 WHERE NOT EXISTS (SELECT 1 FROM ledger.ticket_event e WHERE e.part = x.part AND e.ticket_id = x.entity AND e.version = x.version)
