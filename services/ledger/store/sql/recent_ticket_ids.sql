-- The tickets filed last, by the index on the instant of filing.
SELECT t.part, t.id FROM ledger.ticket t ORDER BY t.created_at DESC, t.id LIMIT $1
