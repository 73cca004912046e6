-- Ends assignments. Its own statement, before new ones are inserted: the unique index on the one holder
-- must see the old row released.
UPDATE ledger.assignment a
   SET released_at = $4::timestamptz, release_type = r.release_type
  FROM unnest($1::smallint[], $2::uuid[], $3::text[]) AS r(part, ticket_id, release_type)
 WHERE a.part = r.part AND a.ticket_id = r.ticket_id AND a.released_at IS NULL
