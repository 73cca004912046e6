-- The dead letter ($1 group, $2 topic, $3 part, $4 position) that process $5 began has failed once more, for the
-- reason $6. It stays parked until somebody asks again.
UPDATE ledger.dlq AS d
   SET attempts = d.attempts + 1, reason = $6, replay_at = NULL, replay_owner = '', replay_deaths = 0
 WHERE d.grp = $1 AND d.topic = $2::smallint AND d.part = $3::smallint AND d.pos = $4::bigint
   AND d.state = 'parked' AND d.replay_owner = $5
RETURNING d.pos
