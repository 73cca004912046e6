SELECT count(*) FROM notifier.delivery d
