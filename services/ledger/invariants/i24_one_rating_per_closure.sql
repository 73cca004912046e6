-- One rating a closure.
SELECT part, ticket_id::text AS what, 'closure ' || (body->>'closure_no') || ': ratings ' || count(*) AS detail
  FROM ledger.ticket_event WHERE type = 'rated'
 GROUP BY part, ticket_id, body->>'closure_no' HAVING count(*) > 1
