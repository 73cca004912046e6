-- Of the inboxes somebody follows those with notices behind what was told.
SELECT h.recipient, h.last_seq
  FROM unnest($1::text[], $2::bigint[]) AS w (recipient, told)
  JOIN notifier.inbox_head h ON h.recipient = w.recipient AND h.last_seq > w.told
