-- Everything a batch of events causes: deliveries, and the inbox notices among them, which are delivered with it.
-- A row that is there already was decided before and stays as it is. Inbox heads are locked in one order.
-- $1: somebody sends mail. The others are the columns of the deliveries (RowsOf in plan_store.cc).
WITH r AS (
  SELECT *
    FROM unnest(
         $2::smallint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
         $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::text[], $17::text[],
         $18::text[], $19::timestamptz[], $20::text[], $21::text[], $22::text[], $23::timestamptz[]
       ) WITH ORDINALITY AS j (
         part, id, ticket_id, version, flow_id, number, rule, kind, role, recipient, channel, address, locale, facts,
         title, body, message_id, planned_at, state, reason, last_error, caused_at, ord)),
made AS (
  INSERT INTO notifier.delivery (part, id, ticket_id, version, flow_id, rule, kind, role, recipient, channel, address,
         locale, facts, title, message_id, planned_at, state, reason, last_error, attempts, next_at, caused_at,
         finished_at)
  SELECT r.part, r.id, r.ticket_id, r.version, r.flow_id, r.rule, r.kind, r.role, r.recipient, r.channel, r.address,
         r.locale, r.facts, r.title, r.message_id, r.planned_at, r.state, r.reason, r.last_error,
         (r.state = 'sent')::int,
         CASE WHEN r.state = 'pending' AND NOT $1::boolean THEN 'infinity' ELSE clock_timestamp() END,
         coalesce(r.caused_at, clock_timestamp()),
         CASE WHEN r.state <> 'pending' THEN clock_timestamp() END
    FROM r ORDER BY r.ord
  ON CONFLICT DO NOTHING
  RETURNING part, id, recipient, channel, state, finished_at, caused_at),
heads AS (
  INSERT INTO notifier.inbox_head (recipient, last_seq)
  SELECT recipient, count(*) FROM made WHERE channel = 'inbox' AND state = 'sent' GROUP BY recipient ORDER BY recipient
  ON CONFLICT (recipient) DO UPDATE SET last_seq = inbox_head.last_seq + excluded.last_seq
  RETURNING recipient, last_seq),
noticed AS (
  -- Rows are found again by hashed ids and heads by their name in one object: joined, each would meet all others.
  INSERT INTO notifier.inbox (recipient, seq, part, delivery_id, ticket_id, number, version, kind, title, text, at)
  SELECT r.recipient,
         (h.last_seqs ->> r.recipient)::bigint - count(*) OVER (PARTITION BY r.recipient)
                    + row_number() OVER (PARTITION BY r.recipient ORDER BY r.ord),
         r.part, r.id, r.ticket_id, r.number, r.version, r.kind, r.title, r.body, r.planned_at
    FROM r, (SELECT jsonb_object_agg(recipient, last_seq) AS last_seqs FROM heads) h
   WHERE (r.id IN (SELECT m.id FROM made m WHERE m.channel = 'inbox' AND m.state = 'sent')) IS TRUE)
SELECT channel, state, coalesce(extract(epoch FROM finished_at - caused_at), 0)::float8 AS seconds FROM made
