SELECT id, version, name_ru, name_en, head, parent, updated_at
  FROM intake.department
 WHERE id > $1
 ORDER BY id
 LIMIT $2;
