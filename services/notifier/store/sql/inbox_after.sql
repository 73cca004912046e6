-- Notices behind sequence number $2, oldest first.
SELECT recipient, seq, delivery_id, ticket_id, number, version, kind, title, text, at, read_at
  FROM notifier.inbox WHERE recipient = $1 AND seq > $2 ORDER BY seq LIMIT $3
