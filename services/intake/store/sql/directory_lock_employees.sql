-- In the order of ids, as every writer takes them: two imports wait for each other and never deadlock.
SELECT id, version FROM intake.employee WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE;
