-- Of each channel: how many are not final, and the real seconds since the event of the oldest.
SELECT channel, count(*) AS waiting, extract(epoch FROM clock_timestamp() - min(caused_at))::float8 AS oldest_seconds
  FROM notifier.delivery WHERE state IN ('pending','sending') GROUP BY channel
