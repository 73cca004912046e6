INSERT INTO intake.flow_version (flow_id, version, definition, published_by, published_at)
VALUES ($1, $2, $3::jsonb, 'test', clock_timestamp())
