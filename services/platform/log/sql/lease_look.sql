-- Who holds the leases named $1, and which processes of the family (names starting with $2) are alive.
SELECT name, owner, expires_at > clock_timestamp() AS live,
       (extract(epoch FROM greatest(expires_at, clock_timestamp() - interval '1 day') - clock_timestamp()) * 1000)::bigint
         AS left_ms
  FROM ledger.lease
 WHERE name = ANY ($1::text[]) OR starts_with(name, $2)
