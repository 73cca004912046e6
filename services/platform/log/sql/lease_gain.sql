-- Takes those of the leases $1 (with the new tokens $2) that nobody holds, for owner $3 and $4 ms. Names come
-- sorted, so two processes that want the same leases wait for each other in one order. `unclean` tells that another
-- owner was there before and has not given the lease back: it died, or lost touch.
WITH before AS (
  SELECT l.name, l.owner FROM ledger.lease AS l WHERE l.name = ANY ($1::text[])),
taken AS (
  INSERT INTO ledger.lease AS l (name, owner, epoch, token, acquired_at, expires_at)
  SELECT w.name, $3, 1, w.token, clock_timestamp(), clock_timestamp() + $4::bigint * interval '1 millisecond'
    FROM unnest($1::text[], $2::uuid[]) AS w (name, token)
   ORDER BY w.name
  ON CONFLICT (name) DO UPDATE
     SET owner = excluded.owner, epoch = l.epoch + 1, token = excluded.token,
         acquired_at = clock_timestamp(), expires_at = excluded.expires_at
   WHERE l.expires_at <= clock_timestamp()
  RETURNING l.name, l.epoch, l.owner, l.token, l.acquired_at),
history AS (
  INSERT INTO ledger.lease_log (name, epoch, owner, token, acquired_at)
  SELECT name, epoch, owner, token, acquired_at FROM taken)
SELECT taken.name, taken.token, coalesce(before.owner, '') NOT IN ('', $3) AS unclean
  FROM taken LEFT JOIN before USING (name)
