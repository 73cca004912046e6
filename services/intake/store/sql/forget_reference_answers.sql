-- Few rows and no index on age: a scan of a small table each ten minutes.
DELETE FROM intake.reference_idem d
 USING (SELECT caller, method, request_id FROM intake.reference_idem
         WHERE at < clock_timestamp() - interval '7 days'
         LIMIT $1) old
 WHERE d.caller = old.caller AND d.method = old.method AND d.request_id = old.request_id;
