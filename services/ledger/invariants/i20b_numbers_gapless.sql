-- Numbers of a flow run 1..n without a gap.
SELECT 0 AS part, coalesce(c.flow_id, t.flow_id) AS what,
       'counter ' || coalesce((c.next - 1)::text, 'missing') || ', tickets ' || coalesce(t.n, 0) AS detail
  FROM ledger.flow_counter c
  FULL JOIN (SELECT flow_id, count(*) AS n FROM ledger.ticket GROUP BY flow_id) t ON t.flow_id = c.flow_id
 WHERE c.next - 1 IS DISTINCT FROM coalesce(t.n, 0)
