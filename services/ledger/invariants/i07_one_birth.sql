-- Exactly one `created` event a ticket.
SELECT t.part, t.id::text AS what, t.number || ': created events ' || count(e.ticket_id) AS detail
  FROM ledger.ticket t
  LEFT JOIN ledger.ticket_event e ON e.part = t.part AND e.ticket_id = t.id AND e.type = 'created'
 GROUP BY t.part, t.id, t.number HAVING count(e.ticket_id) <> 1
