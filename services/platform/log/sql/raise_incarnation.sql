-- Starts stream ($1, $2) anew under another key; only its owner (token $3) may.
UPDATE ledger.part_head SET incarnation = incarnation + 1
 WHERE topic = $1::smallint AND part = $2::smallint AND token = $3::uuid
RETURNING incarnation
