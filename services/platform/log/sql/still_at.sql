-- Whether group $1 stands at offset $4 in stream ($2, $3) by token $5, and does until this transaction ends.
SELECT c.pos FROM ledger.consumer_offset AS c
 WHERE c.grp = $1 AND c.topic = $2::smallint AND c.part = $3::smallint AND c.pos = $4::bigint AND c.token = $5::uuid
   FOR NO KEY UPDATE
