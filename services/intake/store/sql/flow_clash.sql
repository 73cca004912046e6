-- Which flow stands in the way of the id $1 with the prefix $2; the one with the same id first.
SELECT id, prefix FROM intake.flow WHERE id = $1 OR prefix = $2 ORDER BY id <> $1 LIMIT 1;
