-- Removes a member; $3 is the version the caller saw, NULL for any.
UPDATE router.member SET removed_at = clock_timestamp(), version = version + 1
 WHERE flow_id = $1 AND employee = $2 AND removed_at IS NULL AND ($3::bigint IS NULL OR version = $3)
