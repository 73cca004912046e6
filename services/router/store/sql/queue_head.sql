-- The first $6 tickets of flow $1 that somebody of $2 (agents) on their lines $3 could take, in the policy's own
-- order at business time $4 with an ageing step of $5 seconds. Tickets nobody could take do not stand in the way of
-- those behind them. The columns are those of desk::WaitingTicket.
SELECT t.id, t.number, t.line, t.priority, coalesce(t.queued_at, t.updated_at), t.queued_seq, t.queue_front, t.excluded,
       coalesce(t.sticky_agent, '') AS sticky_agent
  FROM ledger.ticket t
 WHERE t.flow_id = $1 AND t.state = 'QUEUED'
   AND EXISTS (SELECT FROM unnest($2::text[], $3::smallint[]) AS a (agent, line)
                WHERE a.line = t.line AND a.agent <> ALL (t.excluded))
 ORDER BY t.queue_front DESC,
          t.priority - greatest(0, floor(extract(epoch FROM $4::timestamptz - t.queued_at) / $5::int)),
          t.queued_seq, t.id
 LIMIT $6
