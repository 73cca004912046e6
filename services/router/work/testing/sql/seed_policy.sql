INSERT INTO sla_timer.policy_version (id, version, definition, published_by, published_at)
VALUES ($1, 1, $2::jsonb, 'test', clock_timestamp())
