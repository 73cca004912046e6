-- The latest version of each, unless it is the one the snapshot knows ([i] of [i]).
SELECT latest.id, latest.version, latest.definition::text AS definition
  FROM (SELECT DISTINCT ON (id) id, version, definition FROM sla_timer.policy_version ORDER BY id, version DESC) latest
  LEFT JOIN unnest($1::text[], $2::int[]) AS known (id, version) USING (id)
 WHERE latest.version > coalesce(known.version, 0);
