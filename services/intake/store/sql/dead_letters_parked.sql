-- How many dead letters of each group wait for somebody. Carried by dlq_parked.
SELECT d.grp, count(*) AS letters FROM ledger.dlq d WHERE d.state = 'parked' GROUP BY d.grp
