-- The oldest first, by the index on age. Two replicas at once take the same rows: the second one waits and finds
-- them gone.
DELETE FROM ledger.idem d
 USING (SELECT part, caller, request_id, method FROM ledger.idem
         WHERE at < clock_timestamp() - interval '7 days'
         ORDER BY at LIMIT $1) old
 WHERE d.part = old.part AND d.caller = old.caller AND d.request_id = old.request_id AND d.method = old.method;
