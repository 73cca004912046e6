-- Every ticket has its fact, and the fact is the ticket's row as it is now.
SELECT t.part, t.id::text AS what, t.number || ': version ' || t.version || ', fact ' || coalesce(f.version, 0) AS detail
  FROM ledger.ticket t
  LEFT JOIN analytics.ticket_fact f ON f.part = t.part AND f.ticket_id = t.id
 WHERE f IS DISTINCT FROM analytics.fact_of(t)
