-- Business time of the database stands where the test's clock does.
INSERT INTO ledger.clock_origin (only_row, real_origin, business_origin, scale) VALUES (true, clock_timestamp(), $1, 1e-6)
ON CONFLICT (only_row) DO UPDATE SET real_origin = excluded.real_origin, business_origin = excluded.business_origin
