-- The last sequence number of an inbox, 0 for an empty one.
SELECT coalesce((SELECT last_seq FROM notifier.inbox_head WHERE recipient = $1), 0)
