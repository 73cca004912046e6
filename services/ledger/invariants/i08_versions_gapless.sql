-- Versions run 1..n without a gap and end at the ticket's version.
SELECT t.part, t.id::text AS what, t.number || ': versions ' || coalesce(min(e.version), 0) || '..' || coalesce(max(e.version), 0) || ', events ' || count(e.version) || ', row ' || t.version AS detail
  FROM ledger.ticket t
  LEFT JOIN ledger.ticket_event e ON e.part = t.part AND e.ticket_id = t.id
 GROUP BY t.part, t.id, t.number, t.version
HAVING coalesce(min(e.version), 0) <> 1 OR max(e.version) <> count(e.version) OR max(e.version) <> t.version
