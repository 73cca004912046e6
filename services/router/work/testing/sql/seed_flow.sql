INSERT INTO intake.flow (id, version, prefix, created_at) VALUES ($1, $2, $3, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET version = excluded.version
