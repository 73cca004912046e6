-- Takes n numbers a flow inside the insert's transaction, so that none is ever skipped.
INSERT INTO ledger.flow_counter AS c (flow_id, next)
SELECT w.flow_id, w.n + 1 FROM unnest($1::text[], $2::bigint[]) AS w(flow_id, n) ORDER BY w.flow_id
ON CONFLICT (flow_id) DO UPDATE SET next = c.next + excluded.next - 1
RETURNING flow_id, next
