-- Parked log entries after a cursor, in the order of their key.
SELECT d.grp, d.topic, d.part, d.pos, d.entity, d.version, d.type, d.attempts, d.reason, d.state, d.parked_at, d.note
  FROM ledger.dlq d
 WHERE d.state = 'parked'
   AND (d.grp, d.topic, d.part, d.pos) > ($1::text, $2::smallint, $3::smallint, $4::bigint)
 ORDER BY d.grp, d.topic, d.part, d.pos
 LIMIT $5
