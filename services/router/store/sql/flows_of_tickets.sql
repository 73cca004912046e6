-- The flows of tickets that moved, as far as somebody waits there or has to be moved.
SELECT DISTINCT t.flow_id
  FROM ledger.ticket t
  JOIN unnest($1::smallint[], $2::uuid[]) AS moved (part, id) ON moved.part = t.part AND moved.id = t.id
 WHERE t.pending_line > t.line
    OR EXISTS (SELECT FROM ledger.ticket q WHERE q.flow_id = t.flow_id AND q.state = 'QUEUED')
