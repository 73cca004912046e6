-- Every change of a lease's owner has its own epoch, in order of time; nobody gained a lease before it had ended for
-- the one before; and the owner of today is the last of the history. Renewing makes an owner's time longer, so it is
-- closed by what the lease said when it changed hands.
SELECT 0 AS part, s.name AS what,
       s.owner || ' (epoch ' || s.epoch || ') acquired ' || s.acquired_at || ', ' || s.prior_owner || ' (epoch ' || s.prior
         || ') from ' || s.prior_at || ' until ' || coalesce(s.prior_end::text, 'unknown') AS detail
  FROM (SELECT name, owner, epoch, acquired_at, lag(owner) OVER w AS prior_owner, lag(epoch) OVER w AS prior,
               lag(acquired_at) OVER w AS prior_at, lag(ended_at) OVER w AS prior_end
          FROM ledger.lease_log WINDOW w AS (PARTITION BY name ORDER BY epoch)) s
 WHERE s.prior_at > s.acquired_at OR s.prior_end > s.acquired_at
UNION ALL
SELECT 0, l.name, 'held by ' || l.owner || ' since epoch ' || l.epoch || ', which the history does not know'
  FROM ledger.lease l
 WHERE l.epoch > 0
   AND NOT EXISTS (SELECT 1 FROM ledger.lease_log h WHERE h.name = l.name AND h.epoch = l.epoch AND h.token = l.token)
