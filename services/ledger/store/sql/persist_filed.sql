-- Everything that filing a batch of requests writes, in one statement and one round trip. The arguments are arrays, one a
-- column, in four sets (PersistArguments makes them): numbers to take, so many of a flow; the tickets; their first events,
-- each with the answer to keep (null where there is none); and their timers. Of the fifty columns of a ticket half are
-- what the table says by itself, and are not written.
-- Numbers are taken inside the transaction, so that none is ever skipped, and everybody else who files into the flow then
-- waits for its end. So what can be written before is: the counts in the first row of the answer are read in their order,
-- and make the inserts happen in it. The other rows are the tickets with their numbers.
WITH numbers AS (
  INSERT INTO ledger.flow_counter AS c (flow_id, next)
  SELECT n.flow_id, n.count + 1 FROM unnest($1::text[], $2::bigint[]) AS n(flow_id, count) ORDER BY n.flow_id
  ON CONFLICT (flow_id) DO UPDATE SET next = c.next + excluded.next - 1
  RETURNING flow_id, next
), born AS (
  INSERT INTO ledger.ticket (
    part, id, version, number, flow_id, flow_version, caller, request_id, requester, department, channel, title,
    description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, priority, queued_at,
    queued_seq, term_us, running_since, due_at, half_at, sla_gen, first_response_due, updated_at)
  SELECT
    n.part, n.id, 1, n.prefix || '-' || lpad(x.no::text, greatest(6, length(x.no::text)), '0'), n.flow_id,
    n.flow_version, n.caller, n.request_id, n.requester, n.department, n.channel, n.title, n.description, n.fields,
    n.urgency, n.impact, n.needed_today, n.needed_today_reason, n.created_at, n.state, n.priority, n.queued_at,
    n.queued_seq, n.term_us, n.running_since, n.due_at, n.half_at,
    n.sla_gen, n.first_response_due, n.created_at
    FROM unnest(
         $3::smallint[], $4::uuid[], $5::text[], $6::int[], $7::text[], $8::int[], $9::text[], $10::uuid[], $11::text[],
         $12::text[], $13::text[], $14::text[], $15::text[], $16::jsonb[], $17::smallint[], $18::smallint[],
         $19::boolean[], $20::text[], $21::timestamptz[], $22::text[], $23::smallint[], $24::timestamptz[],
         $25::bigint[], $26::bigint[], $27::timestamptz[], $28::timestamptz[], $29::timestamptz[], $30::int[],
         $31::timestamptz[]
       ) AS n(
         part, id, prefix, place, flow_id, flow_version, caller, request_id, requester, department, channel, title,
         description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, priority,
         queued_at, queued_seq, term_us, running_since, due_at, half_at, sla_gen, first_response_due)
    JOIN numbers f ON f.flow_id = n.flow_id
   CROSS JOIN LATERAL (SELECT f.next + n.place AS no) x
  RETURNING id, number
), event_rows AS MATERIALIZED (
  SELECT n.* FROM unnest(
      $32::smallint[], $33::uuid[], $34::text[], $35::text[], $36::timestamptz[], $37::text[], $38::jsonb[],
      $39::smallint[], $40::text[], $41::uuid[], $42::text[], $43::text[]
    ) AS n(
      part, ticket_id, type, actor, at, state_after, body, topic, caller, request_id, method, body_hash)
), events AS (
  INSERT INTO ledger.ticket_event (part, ticket_id, version, type, actor, at, state_after, body)
  SELECT e.part, e.ticket_id, 1, e.type, e.actor, e.at, e.state_after, e.body FROM event_rows e
  RETURNING 1
), posted AS (
  INSERT INTO ledger.outbox (part, topic, entity, version, type)
  SELECT e.part, e.topic, e.ticket_id, 1, e.type FROM event_rows e
  RETURNING 1
), answered AS (
  INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version)
  SELECT e.part, e.caller, e.request_id, e.method, e.body_hash, e.ticket_id, 1
    FROM event_rows e WHERE e.request_id IS NOT NULL
  RETURNING 1
), armed AS (
  INSERT INTO ledger.sla_timer (part, ticket_id, kind, gen, due_at, state)
  SELECT n.part, n.ticket_id, n.kind, n.gen, n.due_at, 'armed'
    FROM unnest(
      $44::smallint[], $45::uuid[], $46::text[], $47::int[], $48::timestamptz[]
    ) AS n(
      part, ticket_id, kind, gen, due_at)
  RETURNING 1
)
SELECT NULL::uuid AS id, NULL::text AS number, (SELECT count(*) FROM events) AS events,
       (SELECT count(*) FROM posted) AS posted, (SELECT count(*) FROM answered) AS answered,
       (SELECT count(*) FROM armed) AS armed
 UNION ALL
SELECT b.id, b.number, NULL, NULL, NULL, NULL FROM born b
