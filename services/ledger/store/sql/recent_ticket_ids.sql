-- The tickets filed last.
SELECT id FROM ledger.ticket ORDER BY created_at DESC, id LIMIT $1
