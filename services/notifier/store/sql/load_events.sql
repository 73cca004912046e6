-- Events of several tickets with versions in (after, up_to], in order, with the words people wrote.
SELECT e.ticket_id, e.version, e.type, e.actor, e.at, e.state_after, e.body, x.text
  FROM unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::bigint[]) AS w (part, id, after, up_to)
  JOIN ledger.ticket_event e ON e.part = w.part AND e.ticket_id = w.id AND e.version > w.after AND e.version <= w.up_to
  LEFT JOIN ledger.event_text x ON x.part = e.part AND x.ticket_id = e.ticket_id AND x.version = e.version
 ORDER BY e.ticket_id, e.version
