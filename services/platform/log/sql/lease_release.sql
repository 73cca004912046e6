-- Gives back the leases (name, token) of $1, $2. The empty owner tells a clean end from a death.
UPDATE ledger.lease AS l SET expires_at = clock_timestamp(), owner = ''
  FROM unnest($1::text[], $2::uuid[]) AS mine (name, token)
 WHERE l.name = mine.name AND l.token = mine.token
