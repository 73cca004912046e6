-- A change has one winner: no two callers were answered with the same version of a ticket, and each was answered with
-- an event of its own. Two OK answers to a self-pick of one etag would both name the version after it.
SELECT i.part, i.ticket_id::text AS what,
       'version ' || i.version || ': answered to ' || string_agg(i.caller || ' (' || i.method || ')', ', ') AS detail
  FROM ledger.idem i
 GROUP BY i.part, i.ticket_id, i.version HAVING count(*) > 1
UNION ALL
SELECT i.part, i.ticket_id::text,
       i.method || ' of ' || i.caller || ' was answered with version ' || i.version || ', which is '
         || coalesce(e.type || ' by ' || e.actor, 'not there')
  FROM ledger.idem i
  LEFT JOIN ledger.ticket_event e ON e.part = i.part AND e.ticket_id = i.ticket_id AND e.version = i.version
 WHERE e.actor IS DISTINCT FROM i.caller
