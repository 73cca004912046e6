SELECT channel, state, count(*) AS deliveries FROM notifier.delivery GROUP BY channel, state ORDER BY channel, state
