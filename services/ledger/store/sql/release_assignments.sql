-- Ends assignments, each at the instant of the event that ended it. Its own statement, before new ones are inserted:
-- the unique index on the one holder must see the old row released. The holders' load rows are locked, so the
-- numbers drawn here stand in the order in which slots became free.
UPDATE ledger.assignment a
   SET released_at = r.released_at, release_type = r.release_type, released_no = nextval('ledger.slot_order')
  FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::timestamptz[]) AS r(part, ticket_id, release_type, released_at)
 WHERE a.part = r.part AND a.ticket_id = r.ticket_id AND a.released_at IS NULL
