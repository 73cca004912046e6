INSERT INTO intake.employee (id, name, updated_at) VALUES ($1, $2, clock_timestamp()) ON CONFLICT (id) DO NOTHING
