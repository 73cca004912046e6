-- Calendars in force with an id after $1, by id, at most $2.
SELECT DISTINCT ON (v.id) v.id, v.version, v.definition::text AS definition, v.published_at,
       (SELECT f.published_at FROM sla_timer.calendar_version f WHERE f.id = v.id AND f.version = 1) AS created_at
  FROM sla_timer.calendar_version v
 WHERE v.id > $1
 ORDER BY v.id, v.version DESC
 LIMIT $2::int
