-- The ticket an earlier call with this request id was about. ClaimNext does not know its part: all of them are asked.
SELECT i.ticket_id
  FROM ledger.idem i
 WHERE i.part = ANY ($1::smallint[]) AND i.caller = $2 AND i.request_id = $3::uuid AND i.method = $4
