-- Declares the locked dead letters ($1 group, $2 topic, $3 part, $4 position) done for the reason $5 of principal $6.
WITH dropped AS (
  UPDATE ledger.dlq d
     SET state = 'dropped', note = $5, requested_by = $6, replay_at = NULL, replay_owner = '',
         settled_at = clock_timestamp()
    FROM unnest($1::text[], $2::smallint[], $3::smallint[], $4::bigint[]) AS w (grp, topic, part, pos)
   WHERE d.grp = w.grp AND d.topic = w.topic AND d.part = w.part AND d.pos = w.pos AND d.state = 'parked'
  RETURNING d.grp)
SELECT grp, count(*) AS letters FROM dropped GROUP BY grp
