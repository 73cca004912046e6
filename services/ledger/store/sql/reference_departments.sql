SELECT id, coalesce(nullif(name_ru, ''), name_en) AS name, head, parent FROM intake.department;
