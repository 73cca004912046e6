-- How far each kind of reference data has moved, and as kind "server" which run of which server says so: another one may have
-- lost what this service has already seen (a failover), or count its transactions anew (a restored copy).
SELECT kind, epoch FROM ledger.reference_epoch
UNION ALL
SELECT 'server', (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint
