-- The timers of one ticket that were given up.
SELECT kind, gen FROM ledger.sla_timer WHERE part = $1 AND ticket_id = $2 AND state = 'parked'
