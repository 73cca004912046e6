-- The state is kept from the index of what is due (settle_delivery.sql).
-- Gives back what was taken under token $1 and not tried: the attempt is not counted.
UPDATE notifier.delivery
   SET state = 'pending', token = NULL, attempts = attempts - 1, next_at = clock_timestamp()
 WHERE (part, id) IN (SELECT * FROM unnest($2::smallint[], $3::uuid[])) AND token = $1::uuid AND state || '' = 'sending'
