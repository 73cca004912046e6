SELECT id, version FROM intake.department WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE;
