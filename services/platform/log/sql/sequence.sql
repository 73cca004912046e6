-- Moves at most $3 outbox rows of each owned part ($1, with the lease tokens $2) to the log.
-- The heads are raised first and only under our token; only rows whose head was raised are moved, so a relay
-- that lost a part moves nothing of it. Both slots of the outbox are read by id, each by its key.
-- `expected` lets the caller check that positions stay dense.
WITH owned AS (
  SELECT part, token FROM unnest($1::smallint[], $2::uuid[]) AS o (part, token)),
pick AS MATERIALIZED (
  SELECT owned.part, owned.token, b.id, b.slot, b.topic
    FROM owned
   CROSS JOIN LATERAL (SELECT o.id, o.slot, o.topic FROM ledger.outbox AS o
                        WHERE o.part = owned.part ORDER BY o.id LIMIT $3::int) AS b),
counted AS (
  SELECT part, token, topic, count(*) AS n FROM pick GROUP BY part, token, topic),
head AS (
  UPDATE ledger.part_head AS h SET next_pos = h.next_pos + c.n
    FROM counted AS c
   WHERE h.topic = c.topic AND h.part = c.part AND h.token = c.token
  RETURNING h.topic, h.part, h.next_pos - c.n AS first_pos, c.n, h.incarnation),
gone AS (
  DELETE FROM ledger.outbox AS o USING pick, head
   WHERE o.part = pick.part AND o.id = pick.id AND o.slot = pick.slot
     AND head.topic = pick.topic AND head.part = pick.part
  RETURNING o.part, o.id, o.topic, o.entity, o.version, o.type, o.at),
numbered AS (
  SELECT g.topic, g.part, head.first_pos - 1 + row_number() OVER (PARTITION BY g.topic, g.part ORDER BY g.id) AS pos,
         g.entity, g.version, g.type, g.at, head.incarnation, head.n AS expected
    FROM gone AS g JOIN head USING (topic, part)),
logged AS (
  INSERT INTO ledger.event_log (topic, part, pos, entity, version, type, at)
  SELECT topic, part, pos, entity, version, type, at FROM numbered)
SELECT topic, part, pos, entity, version, type, incarnation, expected FROM numbered ORDER BY topic, part, pos
