-- The head of the exact total of a ticket list; store/list_tickets.cc adds the same conditions as to the list.
SELECT count(*)
  FROM ledger.ticket t
