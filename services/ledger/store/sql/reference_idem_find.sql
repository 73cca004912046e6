SELECT body_hash, answer FROM intake.reference_idem WHERE caller = $1 AND method = $2 AND request_id = $3::uuid;
