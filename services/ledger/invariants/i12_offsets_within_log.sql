-- No consumer is ahead of the log.
SELECT o.part, o.grp || ' ' || o.topic || '/' || o.part AS what, 'offset ' || o.pos || ', head ' || h.next_pos AS detail
  FROM ledger.consumer_offset o JOIN ledger.part_head h ON h.topic = o.topic AND h.part = o.part
 WHERE o.pos > h.next_pos - 1
