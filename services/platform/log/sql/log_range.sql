-- Entries of one stream ($1, $2) after position $3, at most $4.
SELECT pos, entity, version, type FROM ledger.event_log
 WHERE topic = $1::smallint AND part = $2::smallint AND pos > $3::bigint ORDER BY pos LIMIT $4::int
