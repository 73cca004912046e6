SELECT d.id, d.version, d.name_ru, d.name_en, d.head, d.parent, d.updated_at
  FROM unnest($1::text[]) WITH ORDINALITY AS g (id, n)
  JOIN intake.department d USING (id)
 ORDER BY g.n;
