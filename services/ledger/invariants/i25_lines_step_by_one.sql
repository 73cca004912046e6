-- Support lines are 1..3 and change by one step.
SELECT part, ticket_id::text AS what, 'version ' || version || ': line ' || p || ' -> ' || line AS detail
  FROM (SELECT part, ticket_id, version, (body->>'line')::int AS line,
               lag((body->>'line')::int, 1, 1) OVER (PARTITION BY part, ticket_id ORDER BY version) AS p
          FROM ledger.ticket_event WHERE type = 'line_changed') s
 WHERE line NOT BETWEEN 1 AND 3 OR abs(line - p) > 1
