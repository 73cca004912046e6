-- The death of which group $1 did not know where it happened is accounted for, in parts $2 owned by tokens $3.
UPDATE ledger.consumer_offset AS c SET blind = false
  FROM unnest($2::smallint[], $3::uuid[]) AS mine (part, token)
 WHERE c.grp = $1 AND c.part = mine.part AND c.token = mine.token AND c.blind
