-- Notes that process $4 begins the entry of group $1 that has been due longest in the parts $2, owned under the
-- lease tokens $3, before it does so: an entry that kills its process is known by the note. Until an end is told it
-- is due again after $5 milliseconds. Needs no synchronous commit, for a note may be lost with the database, not with
-- the process. `at` is the instant of the event where the log still has it. Carried by dlq_due.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
due AS (
  SELECT d.grp, d.topic, d.part, d.pos, c.token
    FROM quick
   CROSS JOIN unnest($2::smallint[], $3::uuid[]) AS mine (part, token)
    JOIN ledger.dlq AS d ON d.grp = $1 AND d.part = mine.part
    JOIN ledger.consumer_offset AS c
      ON c.grp = d.grp AND c.topic = d.topic AND c.part = d.part AND c.token = mine.token
   WHERE d.state = 'parked' AND d.replay_at <= clock_timestamp()
   ORDER BY d.replay_at, d.topic, d.part, d.pos
   LIMIT 1
     FOR NO KEY UPDATE OF d SKIP LOCKED)
UPDATE ledger.dlq AS d
   SET replay_at = clock_timestamp() + $5::bigint * interval '1 millisecond',
       replay_deaths = d.replay_deaths + CASE WHEN d.replay_owner IN ('', $4) THEN 0 ELSE 1 END,
       replay_owner = $4
  FROM due
 WHERE d.grp = due.grp AND d.topic = due.topic AND d.part = due.part AND d.pos = due.pos
RETURNING d.topic, d.part, d.pos, d.entity, d.version, d.type, d.replay_deaths, due.token,
          coalesce((SELECT l.at FROM ledger.event_log AS l
                     WHERE l.topic = d.topic AND l.part = d.part AND l.pos = d.pos), d.parked_at) AS at
