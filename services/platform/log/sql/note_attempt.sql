-- Group $1, owner of stream ($2, $3) by token $5, begins an attempt at the entry after offset $4. No row: there is no such
-- entry, or the stream is another's. Commits asynchronously: the note must outlive this process, not the server.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE ledger.consumer_offset AS c
   SET attempted = c.pos + 1, attempt_open = true,
       deaths = CASE WHEN c.attempted = c.pos + 1 THEN c.deaths ELSE 0 END
  FROM quick
 WHERE c.grp = $1 AND c.topic = $2::smallint AND c.part = $3::smallint AND c.pos = $4::bigint AND c.token = $5::uuid
   AND EXISTS (SELECT 1 FROM ledger.event_log AS l
                WHERE l.topic = $2::smallint AND l.part = $3::smallint AND l.pos = $4::bigint + 1)
RETURNING c.attempted
