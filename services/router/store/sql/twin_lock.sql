-- A concurrent twin of the call waits here until the first one has committed, and then finds its answer.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), $1::text, $2::text, $3::text), 0))
