-- What the owner of parts $1 must know of its streams: the last position given, how far all groups are, the key.
SELECT h.topic, h.part, h.next_pos - 1 AS last, h.incarnation,
       coalesce((SELECT min(c.pos) FROM ledger.consumer_offset AS c
                  WHERE c.topic = h.topic AND c.part = h.part), h.next_pos - 1) AS min_offset
  FROM ledger.part_head AS h
 WHERE h.part = ANY ($1::smallint[])
