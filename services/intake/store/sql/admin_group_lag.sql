-- Entries in the log that a group has not consumed, per topic, with the age of the oldest.
SELECT o.grp, o.topic, sum(h.next_pos - 1 - o.pos)::bigint AS entries,
       (extract(epoch FROM clock_timestamp() - min(l.at)) * 1e6)::bigint AS age_us
  FROM ledger.consumer_offset o
  JOIN ledger.part_head h ON h.topic = o.topic AND h.part = o.part
  LEFT JOIN ledger.event_log l ON l.topic = o.topic AND l.part = o.part AND l.pos = o.pos + 1
 GROUP BY o.grp, o.topic
 ORDER BY o.grp, o.topic
