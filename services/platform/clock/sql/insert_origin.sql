-- The first service to start fixes business time for the installation. $1 NULL: start at the real time.
INSERT INTO ledger.clock_origin (real_origin, business_origin, scale)
SELECT t.now, coalesce($1::timestamptz, t.now), $2::float8 FROM (SELECT clock_timestamp() AS now) AS t
ON CONFLICT DO NOTHING
