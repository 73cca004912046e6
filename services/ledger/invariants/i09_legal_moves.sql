-- Only moves of the state machine, and the row shows the state of its last event.
SELECT part, ticket_id::text AS what, 'version ' || version || ': ' || a || ' -> ' || b AS detail
  FROM (SELECT part, ticket_id, version, state_after AS b,
               lag(state_after) OVER (PARTITION BY part, ticket_id ORDER BY version) AS a
          FROM ledger.ticket_event) s
 WHERE a IS NOT NULL AND a <> b AND NOT EXISTS (SELECT 1 FROM ledger.legal_move m WHERE m.a = s.a AND m.b = s.b)
UNION ALL
SELECT t.part, t.id::text, 'row ' || t.state || ', last event ' || e.state_after
  FROM ledger.ticket t JOIN ledger.ticket_event e ON e.part = t.part AND e.ticket_id = t.id AND e.version = t.version
 WHERE e.state_after <> t.state
