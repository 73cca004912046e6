-- How much waits in the outbox of parts $1, counted no further than $2 rows, and how old its oldest row is.
SELECT (SELECT count(*) FROM (SELECT 1 FROM ledger.outbox WHERE part = ANY ($1::smallint[]) LIMIT $2::int) AS o) AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - (
         SELECT min(first.at) FROM unnest($1::smallint[]) AS p (part)
          CROSS JOIN LATERAL (SELECT o.at FROM ledger.outbox AS o WHERE o.part = p.part ORDER BY o.id LIMIT 1) AS first)) * 1000,
         0)::bigint AS oldest_ms
