-- How much a check looked at.
SELECT (SELECT count(*) FROM ledger.ticket), (SELECT count(*) FROM ledger.ticket_event)
