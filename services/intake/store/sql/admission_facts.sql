-- What decides whether new requests are taken: outbox rows of all parts, counted no further than $1, and the age in
-- milliseconds of the oldest event that is not in the log yet or not handled by every group. Carried by the keys of
-- the outbox and the log: one look a part, and one a stream that somebody is behind in.
-- Heads and offsets are few and change all the time: each is read once, since a look by key walks over every version that
-- a long snapshot keeps.
WITH head AS MATERIALIZED (SELECT h.topic, h.part, h.next_pos FROM ledger.part_head h),
place AS MATERIALIZED (SELECT c.topic, c.part, c.pos FROM ledger.consumer_offset c)
SELECT (SELECT count(*) FROM (SELECT FROM ledger.outbox LIMIT $1::bigint) o) AS outbox_rows,
       greatest(0, coalesce(extract(epoch FROM clock_timestamp() - least(
         (SELECT min(first.at)
            FROM (SELECT DISTINCT h.part FROM head h) p
           CROSS JOIN LATERAL (SELECT o.at FROM ledger.outbox o WHERE o.part = p.part ORDER BY o.id LIMIT 1) first),
         (SELECT min(next.at)
            FROM place c
            JOIN head h ON h.topic = c.topic AND h.part = c.part AND h.next_pos - 1 > c.pos
            -- LIMIT keeps the log on the inner side, found by its key: a plan that was made while the log was short
            -- began with it, and walked all of it ever after.
           CROSS JOIN LATERAL (SELECT l.at FROM ledger.event_log l
                                WHERE l.topic = c.topic AND l.part = c.part AND l.pos = c.pos + 1 LIMIT 1) next)))
         * 1000, 0))::bigint AS lag_ms,
       clock_timestamp() AS at
