-- Takes at most $2 deliveries of channel $1 that are due, under token $3 and a lease of $4 microseconds. A row whose
-- lease has ended is due again: whoever held it died, or is about to find its token gone. A row waits while an earlier
-- one of the same ticket, recipient and channel is not final, so notices arrive in order. The subquery keeps the planner
-- from a join, and the empty text from delivery_due, which is as good as empty whenever statistics are taken: what is left
-- is the unique key. With either, a claim took seconds of a processor once some thousand mails waited.
WITH due AS (
  SELECT d.part, d.id
    FROM notifier.delivery d
   WHERE d.channel = $1 AND d.state IN ('pending','sending') AND d.next_at <= clock_timestamp()
     AND d.version = (SELECT min(e.version) FROM notifier.delivery e
                       WHERE e.part = d.part AND e.ticket_id = d.ticket_id AND e.recipient = d.recipient
                         AND e.channel = d.channel AND e.state || '' IN ('pending','sending'))
   ORDER BY d.next_at, d.id
   LIMIT $2
   FOR UPDATE OF d SKIP LOCKED),
taken AS (
  UPDATE notifier.delivery d
     SET state = 'sending', token = $3::uuid, attempts = d.attempts + 1,
         next_at = clock_timestamp() + $4::bigint * interval '1 microsecond'
    FROM due WHERE d.part = due.part AND d.id = due.id
  RETURNING d.part, d.id, d.ticket_id, d.version, d.rule, d.kind, d.role, d.recipient, d.address, d.locale, d.facts,
            d.message_id, d.attempts, d.created_at)
SELECT k.part, k.id, k.ticket_id, k.version, k.rule, k.kind, k.role, k.recipient, k.address, k.locale, k.facts,
       k.message_id, k.attempts, (extract(epoch FROM clock_timestamp() - k.created_at) * 1000000)::bigint AS age_us,
       t.state AS ticket_state, t.assignee, t.breached_at IS NOT NULL AS breached, x.text AS words
  FROM taken k
  JOIN ledger.ticket t ON t.part = k.part AND t.id = k.ticket_id
  LEFT JOIN ledger.event_text x ON x.part = k.part AND x.ticket_id = k.ticket_id AND x.version = k.version
 ORDER BY k.id
