-- No row when the id or the prefix is taken, also by a writer who commits a moment before us.
INSERT INTO intake.flow (id, version, prefix, created_at) VALUES ($1, 1, $2, $3::timestamptz)
ON CONFLICT DO NOTHING
RETURNING id;
