-- Schedules the locked dead letters ($1 group, $2 topic, $3 part, $4 position) to be carried out again in this order,
-- $5 a second from now on, for request $6 of principal $7. Whoever had begun one and told no end is forgotten.
WITH start AS MATERIALIZED (SELECT clock_timestamp() AS at),
scheduled AS (
  UPDATE ledger.dlq d
     SET replay_at = start.at + (w.place - 1) / $5::float8 * interval '1 second', replay_request = $6::uuid,
         requested_by = $7, replay_owner = '', replay_deaths = 0
    FROM start,
         unnest($1::text[], $2::smallint[], $3::smallint[], $4::bigint[]) WITH ORDINALITY
           AS w (grp, topic, part, pos, place)
   WHERE d.grp = w.grp AND d.topic = w.topic AND d.part = w.part AND d.pos = w.pos AND d.state = 'parked'
  RETURNING d.replay_at)
SELECT count(*) AS letters, max(replay_at) AS last_at FROM scheduled
