-- The published versions a snapshot does not have yet: it knows versions up to $2[i] of flow $1[i].
SELECT v.flow_id, v.version, v.definition::text AS definition
  FROM intake.flow_version v
  LEFT JOIN unnest($1::text[], $2::int[]) AS known (flow_id, version) USING (flow_id)
 WHERE v.version > coalesce(known.version, 0)
 ORDER BY v.flow_id, v.version;
