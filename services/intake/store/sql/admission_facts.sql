-- What decides whether new requests are taken: the outbox rows of all parts, and the age in milliseconds of the oldest
-- event that is not in the log yet or not handled by every group. Carried by the keys of the outbox and the log: one
-- look a part, and one a stream that somebody is behind in.
-- No more rows can wait than numbers were given since the oldest of them. While these are $2 or fewer they are taken for
-- the rows; else rows are counted, no further than $1. To count is to step over everything that was ever there since the
-- table was last thrown away.
WITH first AS MATERIALIZED (
  SELECT f.id, f.at
    FROM (SELECT DISTINCT h.part FROM ledger.part_head h) p
   CROSS JOIN LATERAL (SELECT o.id, o.at FROM ledger.outbox o WHERE o.part = p.part ORDER BY o.id LIMIT 1) f),
given AS MATERIALIZED (
  SELECT coalesce((SELECT s.last_value FROM ledger.outbox_id_seq s) - min(f.id) + 1, 0) AS numbers, min(f.at) AS oldest
    FROM first f),
behind AS MATERIALIZED (
  SELECT min(l.at) AS oldest
    FROM ledger.consumer_offset c
    JOIN ledger.part_head h ON h.topic = c.topic AND h.part = c.part AND h.next_pos - 1 > c.pos
    -- LIMIT keeps the log on the inner side, found by its key, also in a plan that was made while it was short.
   CROSS JOIN LATERAL (SELECT e.at FROM ledger.event_log e
                        WHERE e.topic = c.topic AND e.part = c.part AND e.pos = c.pos + 1 LIMIT 1) l)
SELECT CASE WHEN g.numbers <= $2::bigint THEN g.numbers
            ELSE (SELECT count(*) FROM (SELECT FROM ledger.outbox LIMIT $1::bigint) o) END AS outbox_rows,
       greatest(0, coalesce(extract(epoch FROM clock_timestamp() - least(g.oldest, b.oldest)) * 1000, 0))::bigint AS lag_ms,
       clock_timestamp() AS at
  FROM given g, behind b
