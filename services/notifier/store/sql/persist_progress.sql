-- How far the events of these tickets are planned now. Never backwards.
INSERT INTO notifier.planned (part, ticket_id, version)
SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::bigint[])
ON CONFLICT (part, ticket_id) DO UPDATE SET version = excluded.version WHERE planned.version < excluded.version
