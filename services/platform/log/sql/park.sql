-- Puts one entry of group $1 aside, for a person to look at.
INSERT INTO ledger.dlq (grp, topic, part, pos, entity, version, type, attempts, reason, state)
VALUES ($1, $2::smallint, $3::smallint, $4::bigint, $5::uuid, $6::bigint, $7, $8::int, $9, 'parked')
ON CONFLICT (grp, topic, part, pos) DO NOTHING
