-- All events of the tickets of part $1 with ids from $2 to $3, each ticket's oldest first, with the words of those
-- types whose words the ticket's row shows. One walk along the primary key.
SELECT e.ticket_id, e.version, e.type, e.actor, e.at, e.state_after, e.body,
       CASE WHEN e.type IN ('resolved','rated')
            THEN (SELECT x.text FROM ledger.event_text x
                   WHERE x.part = e.part AND x.ticket_id = e.ticket_id AND x.version = e.version) END AS text
  FROM ledger.ticket_event e
 WHERE e.part = $1 AND e.ticket_id >= $2::uuid AND e.ticket_id <= $3::uuid
 ORDER BY e.ticket_id, e.version
