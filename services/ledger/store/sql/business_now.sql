-- Business time by the database's own clock.
SELECT ledger.business_now()
