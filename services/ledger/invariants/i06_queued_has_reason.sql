-- A queued ticket of an automatic flow has a reason, and "READY" is not one that lasts.
SELECT t.part, t.id::text AS what, t.number || ': ' || coalesce(q.reason, 'no reason') AS detail
  FROM ledger.ticket t
  LEFT JOIN router.queue_entry q ON q.part = t.part AND q.ticket_id = t.id
 WHERE t.state = 'QUEUED' AND (q.reason IS NULL OR q.reason = 'READY')
