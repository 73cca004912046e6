-- Whose load rows a batch will need, read without locks; the locked rows are compared with it afterwards.
SELECT t.id, t.flow_id, t.assignee, t.sticky_agent
  FROM ledger.ticket t
  JOIN unnest($1::smallint[], $2::uuid[]) AS wanted(part, id) ON t.part = wanted.part AND t.id = wanted.id
