-- Exactly one `created` event a ticket, and no event without its ticket.
SELECT t.part, t.id::text AS what, t.number || ': created events ' || count(e.ticket_id) AS detail
  FROM ledger.ticket t
  LEFT JOIN ledger.ticket_event e ON e.part = t.part AND e.ticket_id = t.id AND e.type = 'created'
 GROUP BY t.part, t.id, t.number HAVING count(e.ticket_id) <> 1
UNION ALL
SELECT e.part, e.ticket_id::text, 'version ' || e.version || ': an event of a ticket that is not there'
  FROM ledger.ticket_event e
 WHERE NOT EXISTS (SELECT 1 FROM ledger.ticket t WHERE t.part = e.part AND t.id = e.ticket_id)
