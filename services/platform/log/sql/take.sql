-- Moves group $1 past the next entries of the streams ($2 topics, $3 parts, under the lease tokens $4) and returns
-- them: at most $5 in all, taken in turns so that no stream starves, always the first ones of each stream.
-- The offset is compared with the position before the first entry and the token with the lease: a stream where
-- either differs gives nothing. Rows of the log that a moved offset does not cover are not returned.
WITH want AS (
  SELECT topic, part, token FROM unnest($2::smallint[], $3::smallint[], $4::uuid[]) AS w (topic, part, token)),
page AS MATERIALIZED (
  SELECT w.topic, w.part, w.token, c.tid, c.pos AS before, e.pos, e.entity, e.version, e.type, e.at
    FROM want AS w
    -- LIMIT keeps it a look a stream by the key: over the whole group it reads what nobody asked for.
   CROSS JOIN LATERAL (
     SELECT o.ctid AS tid, o.pos FROM ledger.consumer_offset AS o
      WHERE o.grp = $1 AND o.topic = w.topic AND o.part = w.part AND o.token = w.token LIMIT 1) AS c
   CROSS JOIN LATERAL (
     SELECT l.pos, l.entity, l.version, l.type, l.at FROM ledger.event_log AS l
      WHERE l.topic = w.topic AND l.part = w.part AND l.pos > c.pos
      ORDER BY l.pos LIMIT $5::int) AS e
   ORDER BY e.pos - c.pos, w.topic, w.part
   LIMIT $5::int),
moved AS (
  -- By the row's place: while a long snapshot is held, the key leads through all that the row ever was.
  UPDATE ledger.consumer_offset AS c SET pos = span.hi
    FROM (SELECT topic, part, token, tid, before, max(pos) AS hi, count(*) AS n FROM page
           GROUP BY topic, part, token, tid, before) AS span
   WHERE c.ctid = span.tid AND c.grp = $1 AND c.topic = span.topic AND c.part = span.part AND c.token = span.token
     AND c.pos = span.before AND span.hi - span.before = span.n
  RETURNING c.topic, c.part)
SELECT page.topic, page.part, page.pos, page.entity, page.version, page.type, page.at
  FROM page JOIN moved USING (topic, part)
 ORDER BY page.topic, page.part, page.pos
