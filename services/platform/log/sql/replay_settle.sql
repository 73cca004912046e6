-- Ends the dead letter ($1 group, $2 topic, $3 part, $4 position) in the transaction of its effect, if it is still
-- parked and begun by process $5, and if the part is still owned under the lease token $6: the offsets are
-- share-locked, so that a successor's token waits for this commit. The row lock keeps out every other replay or drop.
WITH owned AS MATERIALIZED (
  SELECT c.topic FROM ledger.consumer_offset AS c
   WHERE c.grp = $1 AND c.part = $3::smallint AND c.token = $6::uuid
     FOR SHARE)
UPDATE ledger.dlq AS d
   SET state = 'replayed', attempts = d.attempts + 1, replay_at = NULL, replay_owner = '',
       settled_at = clock_timestamp()
 WHERE d.grp = $1 AND d.topic = $2::smallint AND d.part = $3::smallint AND d.pos = $4::bigint
   AND d.state = 'parked' AND d.replay_owner = $5 AND (SELECT count(*) FROM owned) > 0
RETURNING d.pos
