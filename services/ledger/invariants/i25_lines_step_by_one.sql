-- Support lines are 1..3 and change by one step from line 1 on, and the ticket stands on the line of its last step.
SELECT part, ticket_id::text AS what, 'version ' || version || ': line ' || p || ' -> ' || line AS detail
  FROM (SELECT part, ticket_id, version, (body->>'line')::int AS line,
               lag((body->>'line')::int, 1, 1) OVER (PARTITION BY part, ticket_id ORDER BY version) AS p
          FROM ledger.ticket_event WHERE type = 'line_changed') s
 WHERE line NOT BETWEEN 1 AND 3 OR abs(line - p) > 1
UNION ALL
SELECT t.part, t.id::text, t.number || ': on line ' || t.line || ', last step to ' || coalesce(e.line, 1)
  FROM ledger.ticket t
  LEFT JOIN (SELECT DISTINCT ON (part, ticket_id) part, ticket_id, (body->>'line')::int AS line
               FROM ledger.ticket_event WHERE type = 'line_changed'
              ORDER BY part, ticket_id, version DESC) e ON e.part = t.part AND e.ticket_id = t.id
 WHERE t.line <> coalesce(e.line, 1)
