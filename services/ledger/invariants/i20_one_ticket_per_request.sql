-- One ticket a (caller, request id), and one number a ticket.
SELECT min(part)::smallint AS part, caller AS what, request_id || ': tickets ' || count(*) AS detail
  FROM ledger.ticket GROUP BY caller, request_id HAVING count(*) > 1
UNION ALL
SELECT min(part)::smallint, number, 'tickets ' || count(*) FROM ledger.ticket GROUP BY number HAVING count(*) > 1
