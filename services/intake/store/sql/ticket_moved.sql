-- Which of the watched tickets have moved on since their watchers last saw them.
SELECT t.id, t.version, t.state
  FROM unnest($1::smallint[], $2::uuid[], $3::bigint[]) AS w (part, id, version)
  JOIN ledger.ticket t ON t.part = w.part AND t.id = w.id
 WHERE t.version > w.version OR t.state = 'ARCHIVED'
