-- Earlier answers to the request ids of a batch.
SELECT i.caller, i.request_id, i.method, i.body_hash, i.ticket_id, i.version
  FROM ledger.idem i
  JOIN unnest($1::smallint[], $2::text[], $3::uuid[], $4::text[]) AS w(part, caller, request_id, method)
    ON i.part = w.part AND i.caller = w.caller AND i.request_id = w.request_id AND i.method = w.method
