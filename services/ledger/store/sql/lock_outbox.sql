-- Before a snapshot over everything: the idle half of the outbox is emptied by TRUNCATE, which an older snapshot
-- would see as a loss. Waits for nobody but a TRUNCATE, and stops nothing else.
LOCK TABLE ledger.outbox IN ACCESS SHARE MODE
