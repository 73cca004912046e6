-- Throws away the idle slot of the outbox if it is larger than $1 bytes and empty; see 0004_outbox_slots.sql.
SELECT ledger.truncate_idle_outbox($1::bigint) AS outcome
