-- Takes member $1 off the list of the living, and those of the family ($2 = FAMILY@) that died a day ago.
DELETE FROM ledger.lease
 WHERE name = $1 OR (starts_with(name, $2) AND expires_at < clock_timestamp() - interval '1 day')
