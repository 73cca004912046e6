-- How much is committed and not in the log yet, and how much ever was put into it.
SELECT (SELECT count(*) FROM ledger.outbox) AS outbox_count,
       (SELECT (extract(epoch FROM clock_timestamp() - min(o.at)) * 1e6)::bigint FROM ledger.outbox o) AS outbox_age_us,
       (SELECT sum(h.next_pos - 1)::bigint FROM ledger.part_head h) AS published_count,
       (SELECT count(*) FROM ledger.dlq d WHERE d.state = 'parked') AS parked_count
