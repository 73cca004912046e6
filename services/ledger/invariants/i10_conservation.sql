-- Every event is in the outbox or the log exactly once (within the log's retention of 14 days).
SELECT e.part, e.ticket_id::text AS what, 'version ' || e.version || ': in outbox and log ' || count(x.entity) || ' times' AS detail
  FROM ledger.ticket_event e
  LEFT JOIN (SELECT entity, version FROM ledger.outbox UNION ALL SELECT entity, version FROM ledger.event_log) x
    ON x.entity = e.ticket_id AND x.version = e.version
 GROUP BY e.part, e.ticket_id, e.version HAVING count(x.entity) <> 1
