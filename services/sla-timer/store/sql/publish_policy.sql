-- Publishes version $2 of policy $1. No row comes back when somebody else has published it before.
INSERT INTO sla_timer.policy_version (id, version, definition, published_by, published_at)
VALUES ($1, $2, $3::jsonb, $4, $5)
ON CONFLICT (id, version) DO NOTHING
RETURNING version
