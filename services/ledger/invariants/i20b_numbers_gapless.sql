-- Numbers of a flow run 1..n without a gap.
SELECT 0 AS part, c.flow_id AS what, 'counter ' || c.next - 1 || ', tickets ' || count(t.id) AS detail
  FROM ledger.flow_counter c LEFT JOIN ledger.ticket t ON t.flow_id = c.flow_id
 GROUP BY c.flow_id, c.next HAVING count(t.id) <> c.next - 1
