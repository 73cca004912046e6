-- Says that process $2 is alive in a family ($1 = FAMILY@OWNER) for $3 ms. Also makes this transaction's
-- commit asynchronous: to lose a renewal only shortens the lease.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO ledger.lease (name, owner, expires_at)
SELECT $1, $2, clock_timestamp() + $3::bigint * interval '1 millisecond' FROM quick
ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at
