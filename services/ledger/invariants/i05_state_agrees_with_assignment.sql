-- A ticket is held exactly when an assignment is active, by the same agent.
SELECT t.part, t.id::text AS what, t.number || ' ' || t.state || ' by ' || coalesce(t.assignee, '-') || ', assignment ' || coalesce(a.agent_id, '-') AS detail
  FROM ledger.ticket t
  LEFT JOIN ledger.assignment a ON a.part = t.part AND a.ticket_id = t.id AND a.released_at IS NULL
 WHERE (t.state IN ('ASSIGNED','IN_PROGRESS','WAITING')) <> (a.ticket_id IS NOT NULL)
    OR (a.ticket_id IS NOT NULL AND a.agent_id IS DISTINCT FROM t.assignee)
