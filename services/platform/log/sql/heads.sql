-- What the owner of parts $1 must know of its streams: the last position given, how far all groups are, the key. The
-- offsets are read in one go: there are some hundred rows, and while a long snapshot is held each look by key walks
-- over all that a row ever was.
WITH behind AS (
  SELECT c.topic, c.part, min(c.pos) AS pos FROM ledger.consumer_offset AS c
   WHERE c.part = ANY ($1::smallint[]) GROUP BY c.topic, c.part)
SELECT h.topic, h.part, h.next_pos - 1 AS last, h.incarnation, coalesce(b.pos, h.next_pos - 1) AS min_offset
  FROM ledger.part_head AS h LEFT JOIN behind AS b USING (topic, part)
 WHERE h.part = ANY ($1::smallint[])
