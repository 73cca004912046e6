-- The same for departments.
INSERT INTO intake.department AS d (id, name_ru, name_en, head, parent, updated_at)
SELECT g.id, g.name_ru, g.name_en, g.head, g.parent, $6::timestamptz
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS g (id, name_ru, name_en, head, parent)
 ORDER BY g.id
ON CONFLICT (id) DO UPDATE
   SET name_ru = excluded.name_ru, name_en = excluded.name_en, head = excluded.head, parent = excluded.parent,
       version = d.version + 1, updated_at = excluded.updated_at
 WHERE (d.name_ru, d.name_en, d.head, d.parent)
       IS DISTINCT FROM (excluded.name_ru, excluded.name_en, excluded.head, excluded.parent)
RETURNING d.version = 1 AS created;
