-- The new owner of the parts $1 puts its tokens $2 where every move of theirs is checked.
UPDATE ledger.part_head AS h SET token = mine.token
  FROM unnest($1::smallint[], $2::uuid[]) AS mine (part, token)
 WHERE h.part = mine.part
