-- The attempt that group $1 noted at the entry after offset $4 of stream ($2, $3) has ended, its owner (token $5) lives.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE ledger.consumer_offset AS c SET attempt_open = false
  FROM quick
 WHERE c.grp = $1 AND c.topic = $2::smallint AND c.part = $3::smallint AND c.pos = $4::bigint AND c.token = $5::uuid
