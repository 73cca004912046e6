-- The head of every list of deliveries; store/delivery_lists.cc adds conditions, order and limit.
SELECT d.part, d.id, d.ticket_id, d.version, d.flow_id, d.rule, d.kind, d.role, d.recipient, d.channel, d.address,
       d.locale, d.title, d.message_id, d.planned_at, d.state, d.reason, d.attempts, d.last_error,
       CASE WHEN d.state IN ('pending','sending') AND d.next_at < 'infinity' THEN notifier.to_business(d.next_at) END AS next_at,
       notifier.to_business(d.finished_at) AS finished_at
  FROM notifier.delivery d
