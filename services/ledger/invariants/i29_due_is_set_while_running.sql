-- A running clock with a term has a due instant, a stopped one has none running.
SELECT part, id::text AS what, number || ' ' || state AS detail
  FROM ledger.ticket
 WHERE (running_since IS NOT NULL AND term_us IS NOT NULL AND due_at IS NULL)
    OR (running_since IS NULL AND state IN ('QUEUED','ASSIGNED','IN_PROGRESS') AND term_us IS NOT NULL)
