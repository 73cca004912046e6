-- A page of an inbox, newest first, below sequence number $2.
SELECT recipient, seq, delivery_id, ticket_id, number, version, kind, title, text, at, read_at
  FROM notifier.inbox
 WHERE recipient = $1 AND seq < $2 AND (read_at IS NULL OR NOT $3::boolean)
 ORDER BY seq DESC LIMIT $4
