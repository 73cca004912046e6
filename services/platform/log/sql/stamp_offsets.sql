-- The new owner of parts $3 of group $1 puts its tokens $4 where every move of an offset of topics $2 is checked.
UPDATE ledger.consumer_offset AS c SET token = mine.token
  FROM unnest($3::smallint[], $4::uuid[]) AS mine (part, token)
 WHERE c.grp = $1 AND c.part = mine.part AND c.topic = ANY ($2::smallint[])
