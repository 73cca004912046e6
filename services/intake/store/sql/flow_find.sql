-- The published version of a flow.
SELECT f.id, f.version, v.definition::text AS definition, f.created_at, v.published_at
  FROM intake.flow f
  JOIN intake.flow_version v ON v.flow_id = f.id AND v.version = f.version
 WHERE f.id = $1;
