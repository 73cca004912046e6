-- Over everything sent, in real seconds from the event to the channel; and the age of the oldest that is not final on
-- the business clock.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - caused_at)) FILTER (WHERE state = 'sent') AS p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - caused_at)) FILTER (WHERE state = 'sent') AS p99,
       extract(epoch FROM ledger.business_now() - notifier.to_business(min(caused_at) FILTER (WHERE state IN ('pending','sending'))))::float8 AS oldest
  FROM notifier.delivery
