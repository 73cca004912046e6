-- The version in force of calendar $1, and when its first one was published.
SELECT v.id, v.version, v.definition::text AS definition, v.published_at,
       (SELECT f.published_at FROM sla_timer.calendar_version f WHERE f.id = v.id AND f.version = 1) AS created_at
  FROM sla_timer.calendar_version v
 WHERE v.id = $1
 ORDER BY v.version DESC
 LIMIT 1
