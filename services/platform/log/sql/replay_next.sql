-- Milliseconds until the next parked entry of group $1 in the parts $2 is due again; NULL when none is scheduled.
-- Carried by dlq_due.
SELECT (extract(epoch FROM min(d.replay_at) - clock_timestamp()) * 1000)::bigint AS wait_ms
  FROM ledger.dlq AS d
 WHERE d.grp = $1 AND d.replay_at IS NOT NULL AND d.part = ANY ($2::smallint[])
