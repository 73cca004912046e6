-- Every broken promise was told to somebody who can step in: the flow's manager, or one of its admins.
SELECT f.part, f.ticket_id::text AS what,
       'breach at version ' || f.version || ': ' ||
       coalesce('told ' || string_agg(d.recipient || ' by ' || d.channel || ' (' || d.state || ')', ', '),
                'no manager or admin was told') AS detail
  FROM ledger.sla_fired f
  LEFT JOIN notifier.delivery d ON d.part = f.part AND d.ticket_id = f.ticket_id AND d.version = f.version
                               AND d.kind = 'breach' AND d.role IN ('manager','flow_admin')
 WHERE f.kind = 'breach'
 GROUP BY f.part, f.ticket_id, f.version
HAVING count(*) FILTER (WHERE d.state = 'sent') = 0
