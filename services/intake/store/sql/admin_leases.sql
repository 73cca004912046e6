-- Leases that somebody owns or owned, by name.
SELECT l.name, l.owner, l.epoch, l.expires_at
  FROM ledger.lease l
 WHERE l.name > $1 AND l.epoch > 0
 ORDER BY l.name
 LIMIT $2
