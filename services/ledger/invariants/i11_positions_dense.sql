-- Positions of the log are dense and end at the head, nothing was dropped before its readers came, and versions of
-- a ticket ascend within a topic.
SELECT h.part, h.topic || '/' || h.part AS what, 'positions ' || min(l.pos) || '..' || max(l.pos) || ', rows ' || count(*) || ', head ' || h.next_pos AS detail
  FROM ledger.part_head h JOIN ledger.event_log l ON l.topic = h.topic AND l.part = h.part
 GROUP BY h.topic, h.part, h.next_pos
HAVING max(l.pos) - min(l.pos) + 1 <> count(*) OR max(l.pos) <> h.next_pos - 1
UNION ALL
SELECT o.part, o.grp || ' ' || o.topic || '/' || o.part, 'position ' || o.pos + 1 || ' is gone, head ' || h.next_pos
  FROM ledger.consumer_offset o JOIN ledger.part_head h ON h.topic = o.topic AND h.part = o.part
 WHERE o.pos + 1 < h.next_pos
   AND NOT EXISTS (SELECT 1 FROM ledger.event_log l WHERE l.topic = o.topic AND l.part = o.part AND l.pos = o.pos + 1)
UNION ALL
SELECT part, entity::text, 'topic ' || topic || ': version ' || version || ' after ' || v
  FROM (SELECT topic, part, entity, version, lag(version) OVER (PARTITION BY topic, part, entity ORDER BY pos) AS v
          FROM ledger.event_log) s
 WHERE v >= version
