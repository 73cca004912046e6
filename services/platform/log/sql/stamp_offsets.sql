-- The new owner of parts $3 of group $1 puts its tokens $4 where every move of an offset of topics $2 is checked. Where
-- the owner before vanished ($5), the next $6 entries are to be handled with care, and an attempt it left open counts
-- as its death; when it left none open it died nobody knows where. Leads with the primary key's grp; at most 48 rows.
WITH left_behind AS MATERIALIZED (
  SELECT c.topic, mine.part, mine.token, mine.unclean,
         mine.unclean AND c.attempt_open AND c.attempted = c.pos + 1 AS died_there,
         bool_or(mine.unclean AND c.attempt_open AND c.attempted = c.pos + 1) OVER () AS known
    FROM unnest($3::smallint[], $4::uuid[], $5::boolean[]) AS mine (part, token, unclean)
    JOIN ledger.consumer_offset AS c ON c.grp = $1 AND c.part = mine.part AND c.topic = ANY ($2::smallint[]))
UPDATE ledger.consumer_offset AS c
   SET token = l.token,
       careful_until = CASE WHEN l.unclean THEN greatest(c.careful_until, c.pos + $6::bigint) ELSE c.careful_until END,
       deaths = c.deaths + CASE WHEN l.died_there AND c.attempted = c.pos + 1 THEN 1 ELSE 0 END,
       blind = CASE WHEN l.unclean AND NOT l.known THEN true
                    WHEN c.careful_until <= c.pos THEN false
                    ELSE c.blind END,
       attempt_open = false
  FROM left_behind AS l
 WHERE c.grp = $1 AND c.topic = l.topic AND c.part = l.part
RETURNING c.topic, c.part, c.attempted, c.deaths, l.died_there
