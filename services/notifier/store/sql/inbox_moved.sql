-- Of the inboxes somebody follows those with notices behind what was told.
SELECT h.recipient, h.last_seq
  FROM unnest($1::text[], $2::bigint[]) AS w (recipient, told)
-- One look each, by the key: joined, all would meet all.
 CROSS JOIN LATERAL (SELECT i.recipient, i.last_seq FROM notifier.inbox_head i
                      WHERE i.recipient = w.recipient AND i.last_seq > w.told LIMIT 1) h
