-- Positions of the log are dense and end at the head; versions of a ticket ascend within a topic.
SELECT h.part, h.topic || '/' || h.part AS what, 'positions ' || min(l.pos) || '..' || max(l.pos) || ', rows ' || count(*) || ', head ' || h.next_pos AS detail
  FROM ledger.part_head h JOIN ledger.event_log l ON l.topic = h.topic AND l.part = h.part
 GROUP BY h.topic, h.part, h.next_pos
HAVING max(l.pos) - min(l.pos) + 1 <> count(*) OR max(l.pos) <> h.next_pos - 1
UNION ALL
SELECT part, entity::text, 'topic ' || topic || ': version ' || version || ' after ' || v
  FROM (SELECT topic, part, entity, version, lag(version) OVER (PARTITION BY topic, part, entity ORDER BY pos) AS v
          FROM ledger.event_log) s
 WHERE v >= version
