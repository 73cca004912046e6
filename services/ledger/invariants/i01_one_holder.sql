-- At most one active assignment a ticket.
SELECT part, ticket_id::text AS what, 'active assignments: ' || count(*) AS detail
  FROM ledger.assignment WHERE released_at IS NULL GROUP BY part, ticket_id HAVING count(*) > 1
