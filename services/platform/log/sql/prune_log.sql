-- Drops entries of parts $1 that every group has passed and that are older than $2 seconds; at most $3 of each
-- stream at a time, from the front, so that positions stay dense from the first one kept. By their places in the table:
-- joined by position, each would meet all of its stream.
DELETE FROM ledger.event_log
 WHERE ctid = ANY (ARRAY(
   SELECT old.ctid
     FROM ledger.part_head AS h
    CROSS JOIN LATERAL (
      SELECT e.ctid, e.at FROM ledger.event_log AS e
       WHERE e.topic = h.topic AND e.part = h.part
         AND e.pos <= (SELECT min(c.pos) FROM ledger.consumer_offset AS c WHERE c.topic = h.topic AND c.part = h.part)
       ORDER BY e.pos LIMIT $3::int) AS old
    WHERE h.part = ANY ($1::smallint[]) AND old.at < clock_timestamp() - $2::bigint * interval '1 second'))
