-- Serialises the passes of one flow, not of the system: the first lock of a pass. With the ring of flow $1 come at most
-- $2 line moves that an escalation asked for; a waiting ticket moves when it is resumed. They are read before a wait for
-- the lock and may be done by then, so whoever makes them looks again at the locked ticket.
SELECT c.last_agent, coalesce(m.tickets, '{}') AS tickets, coalesce(m.holders, '{}') AS holders
  FROM ledger.flow_cursor c
 CROSS JOIN LATERAL (
       SELECT array_agg(w.id::text ORDER BY w.id) AS tickets, array_agg(w.holder ORDER BY w.id) AS holders
         FROM (SELECT t.id, coalesce(t.assignee, '') AS holder
                 FROM ledger.ticket t
                WHERE t.flow_id = c.flow_id AND t.pending_line > 0 AND t.pending_line > t.line
                  AND t.state IN ('QUEUED','ASSIGNED','IN_PROGRESS')
                ORDER BY t.id
                LIMIT $2) w) m
 WHERE c.flow_id = $1
   FOR NO KEY UPDATE OF c
