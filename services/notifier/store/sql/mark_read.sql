UPDATE notifier.inbox SET read_at = ledger.business_now() WHERE recipient = $1 AND seq <= $2 AND read_at IS NULL
