-- Prolongs the leases (name, token) of $1, $2 by $3 ms. A lease whose token is another's is not returned.
-- One that has expired without being taken is still ours: its token proves that nobody was in between.
UPDATE ledger.lease AS l
   SET expires_at = clock_timestamp() + $3::bigint * interval '1 millisecond'
  FROM unnest($1::text[], $2::uuid[]) AS mine (name, token)
 WHERE l.name = mine.name AND l.token = mine.token
RETURNING l.name, l.token
