-- Locks dead letters by their keys ($1 group, $2 topic, $3 part, $4 position), in one order for all callers, and
-- tells which of them are parked. One that is being carried out at this moment is waited for. Carried by the key.
SELECT d.grp, d.topic, d.part, d.pos, d.state
  FROM unnest($1::text[], $2::smallint[], $3::smallint[], $4::bigint[]) AS w (grp, topic, part, pos)
  JOIN ledger.dlq d ON d.grp = w.grp AND d.topic = w.topic AND d.part = w.part AND d.pos = w.pos
 ORDER BY d.parked_at, d.grp, d.topic, d.part, d.pos
   FOR NO KEY UPDATE OF d
