-- Puts one entry of group $1 aside, for a person to look at. One that was settled before and fails when the group is
-- made to read the log again is parked again.
INSERT INTO ledger.dlq AS d (grp, topic, part, pos, entity, version, type, attempts, reason, state)
VALUES ($1, $2::smallint, $3::smallint, $4::bigint, $5::uuid, $6::bigint, $7, $8::int, $9, 'parked')
ON CONFLICT (grp, topic, part, pos) DO UPDATE
   SET state = 'parked', attempts = excluded.attempts, reason = excluded.reason, parked_at = excluded.parked_at,
       note = '', settled_at = NULL, requested_by = '', replay_request = NULL
 WHERE d.state <> 'parked'
