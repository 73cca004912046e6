-- Reasons of tickets that have left the queue, by whatever way.
DELETE FROM router.queue_entry q
 WHERE q.flow_id = $1
   AND NOT EXISTS (SELECT FROM ledger.ticket t
                    WHERE t.part = q.part AND t.id = q.ticket_id AND t.state = 'QUEUED')
