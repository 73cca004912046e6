INSERT INTO intake.reference_idem (caller, method, request_id, body_hash, answer)
VALUES ($1, $2, $3::uuid, $4, $5::bytea);
