-- A channel takes deliveries from now on: what waited for it is due.
UPDATE notifier.delivery SET next_at = clock_timestamp()
 WHERE channel = $1 AND state = 'pending' AND next_at = 'infinity'
