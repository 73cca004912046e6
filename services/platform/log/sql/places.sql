-- Where group $1 stands in topics $2 of parts $3, how far the log goes, and what earlier owners died of there.
SELECT c.topic, c.part, c.pos, h.next_pos - 1 AS head, h.incarnation, c.careful_until, c.attempted, c.deaths, c.blind
  FROM ledger.consumer_offset AS c JOIN ledger.part_head AS h USING (topic, part)
 WHERE c.grp = $1 AND c.topic = ANY ($2::smallint[]) AND c.part = ANY ($3::smallint[])
