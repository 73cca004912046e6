-- Every change of a lease's owner has its own epoch, in order of time.
SELECT 0 AS part, name AS what, 'epoch ' || epoch || ' acquired before epoch ' || prior AS detail
  FROM (SELECT name, epoch, acquired_at, lag(epoch) OVER w AS prior, lag(acquired_at) OVER w AS prior_at
          FROM ledger.lease_log WINDOW w AS (PARTITION BY name ORDER BY epoch)) s
 WHERE prior_at > acquired_at OR prior >= epoch
