SELECT count(*) FROM notifier.inbox WHERE recipient = $1 AND read_at IS NULL
