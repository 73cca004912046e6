-- Assignments by hand, newest first: people need no candidates, so the event itself is their record.
SELECT e.version
  FROM ledger.ticket_event e
 WHERE e.part = $1 AND e.ticket_id = $2 AND e.type IN ('assigned','transferred')
   AND NOT EXISTS (SELECT FROM router.decision d
                    WHERE d.part = e.part AND d.ticket_id = e.ticket_id AND d.version = e.version)
 ORDER BY e.version DESC
 LIMIT $3
