-- Nothing is armed on a paused or finished ticket, but the auto-close of a resolved one.
SELECT s.part, s.ticket_id::text AS what, s.kind || ' armed in ' || t.state AS detail
  FROM ledger.sla_timer s JOIN ledger.ticket t ON t.part = s.part AND t.id = s.ticket_id
 WHERE s.state = 'armed'
   AND (t.state IN ('WAITING','CLOSED','ARCHIVED','CANCELLED') OR (t.state = 'RESOLVED') <> (s.kind = 'autoclose'))
