-- The flows of tickets that moved, as far as somebody waits there or has to be moved. Each flow's queue is looked at once
-- and from its young end, where a ticket that was just filed stands: the old end is full of dead rows while a long
-- snapshot is held.
SELECT moved.flow_id
  FROM (SELECT t.flow_id, bool_or(t.pending_line > t.line) AS to_be_moved
          FROM ledger.ticket t
          JOIN unnest($1::smallint[], $2::uuid[]) AS m (part, id) ON m.part = t.part AND m.id = t.id
         GROUP BY t.flow_id) AS moved
 WHERE moved.to_be_moved
    OR (SELECT true FROM ledger.ticket q
         WHERE q.flow_id = moved.flow_id AND q.state = 'QUEUED' ORDER BY q.queued_at DESC LIMIT 1)
