SELECT q.reason FROM router.queue_entry q WHERE q.part = $1 AND q.ticket_id = $2
