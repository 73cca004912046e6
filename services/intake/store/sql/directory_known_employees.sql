SELECT id FROM intake.employee WHERE id = ANY ($1::text[]);
