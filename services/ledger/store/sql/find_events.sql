-- A ticket's events after a version, oldest first, with the words people wrote.
SELECT e.version, e.type, e.actor, e.at, e.state_after, e.body,
       (SELECT x.text FROM ledger.event_text x
         WHERE x.part = e.part AND x.ticket_id = e.ticket_id AND x.version = e.version) AS text
  FROM ledger.ticket_event e
 WHERE e.part = $1 AND e.ticket_id = $2 AND e.version > $3 AND e.version <= $4
 ORDER BY e.version
 LIMIT $5
