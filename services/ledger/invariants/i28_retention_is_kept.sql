-- Nothing is kept past its retention, and nothing was dropped before it. Answers live seven days, entries of the log
-- fourteen and until every group has read them; what sweeps them has a day of grace here. An answer that went too
-- early would let a repeated call file a second ticket. What I10 says of the log is its other half.
SELECT i.part, i.ticket_id::text AS what,
       'the answer to ' || i.method || ' of ' || i.caller || ' is of ' || i.at || ' and still kept' AS detail
  FROM ledger.idem i WHERE i.at < clock_timestamp() - interval '8 days'
UNION ALL
SELECT 0, r.request_id::text, 'the answer to ' || r.method || ' of ' || r.caller || ' is of ' || r.at || ' and still kept'
  FROM intake.reference_idem r WHERE r.at < clock_timestamp() - interval '8 days'
UNION ALL
SELECT l.part, l.topic || '/' || l.part, 'position ' || l.pos || ' is of ' || l.at || ' and still kept'
  FROM ledger.event_log l
 WHERE l.at < clock_timestamp() - interval '15 days'
   AND l.pos <= (SELECT min(o.pos) FROM ledger.consumer_offset o WHERE o.topic = l.topic AND o.part = l.part)
UNION ALL
SELECT t.part, t.id::text, t.number || ': the answer to its filing was dropped before seven days were over'
  FROM ledger.ticket t
 CROSS JOIN (SELECT ledger.business_now()
                      - interval '6 days' * least(3000, coalesce((SELECT o.scale FROM ledger.clock_origin o), 1)) AS kept_since) k
 WHERE t.created_at > k.kept_since
   AND NOT EXISTS (SELECT 1 FROM ledger.idem i
                    WHERE i.part = t.part AND i.caller = t.caller AND i.request_id = t.request_id AND i.ticket_id = t.id)
