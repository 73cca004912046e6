-- What became of a try, by whoever still holds it: state $4, and for 'pending' another try after $8 microseconds, which
-- does not count as a try when $9. The state is kept from the index of what is due: a plan made while nothing waits would read
-- all of it for each. No row: the lease has passed to somebody else. Answers the real seconds since the event.
UPDATE notifier.delivery
   SET state = $4, reason = $5, last_error = $6, title = CASE WHEN $7 = '' THEN title ELSE $7 END, token = NULL,
       attempts = attempts - $9::boolean::int,
       next_at = CASE WHEN $4 = 'pending' THEN clock_timestamp() + $8::bigint * interval '1 microsecond' ELSE next_at END,
       finished_at = CASE WHEN $4 = 'pending' THEN NULL ELSE clock_timestamp() END
 WHERE part = $1 AND id = $2 AND token = $3::uuid AND state || '' = 'sending'
RETURNING extract(epoch FROM clock_timestamp() - caused_at)::float8 AS seconds
