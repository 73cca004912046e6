-- How late timers fired, in real microseconds; and how many fired early, which the table itself forbids.
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY late_us) AS p50,
       percentile_disc(0.99) WITHIN GROUP (ORDER BY late_us) AS p99,
       max(late_us) AS most,
       count(*) FILTER (WHERE fired_at < due_at) AS early
  FROM ledger.sla_fired
