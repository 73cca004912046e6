-- One reading of the primary's clock, with the origin beside it so that both are of one moment.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us,
       o.real_origin, o.business_origin, o.scale
  FROM (SELECT 1) AS one LEFT JOIN ledger.clock_origin AS o ON true
