-- How many tickets each of $2 got in flow $1 so far.
SELECT a.agent_id, count(*) FROM ledger.assignment a
 WHERE a.flow_id = $1 AND a.agent_id = ANY ($2::text[])
 GROUP BY a.agent_id
