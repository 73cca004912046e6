-- The stored decisions about a ticket, newest first.
SELECT d.version, d.flow_version, d.body::text AS body
  FROM router.decision d
 WHERE d.part = $1 AND d.ticket_id = $2
 ORDER BY d.version DESC
 LIMIT $3
