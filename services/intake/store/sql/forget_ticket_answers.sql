-- The oldest first, by the index on age, and then by their places in the table: a join would be planned as if a tenth of
-- the table went, and read all of it. Two replicas at once take the same rows: the second one waits and finds them gone.
DELETE FROM ledger.idem
 WHERE ctid = ANY (ARRAY(SELECT o.ctid FROM ledger.idem o
                          WHERE o.at < clock_timestamp() - interval '7 days'
                          ORDER BY o.at LIMIT $1));
