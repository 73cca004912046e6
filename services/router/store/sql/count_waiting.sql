-- How many tickets wait in all, by an index that has nothing else: a metric, asked for at a pace.
SELECT count(*) AS waiting FROM ledger.ticket t WHERE t.state = 'QUEUED'
