-- Everything that filing a batch of requests writes, in one statement and one round trip. The arguments are arrays, one a
-- column, in three sets (PersistArguments makes them): the tickets; their first events, each with the answer to keep (null
-- where there is none); and their timers. Of the fifty columns of a ticket half are what the table says by itself, and
-- are not written.
-- Numbers are taken inside the transaction, so that none is ever skipped, and everybody else who files into the flow then
-- waits for its end. So what can be written before is: the counts in the first row of the answer are read in their order,
-- and make the inserts happen in it. The other rows are the tickets with their numbers; one that got none would not be
-- left out but refused, and all with it.
WITH numbers AS (
  INSERT INTO ledger.flow_counter AS c (flow_id, next)
  SELECT n.flow_id, count(*) + 1 FROM unnest($5::text[]) AS n(flow_id) GROUP BY n.flow_id ORDER BY n.flow_id
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
    n.queued_seq, n.term_us, n.running_since, n.due_at, n.half_at, n.sla_gen, n.first_response_due, n.created_at
    FROM unnest(
         $1::smallint[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::int[], $7::text[], $8::uuid[], $9::text[],
         $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[], $15::smallint[], $16::smallint[],
         $17::boolean[], $18::text[], $19::timestamptz[], $20::text[], $21::smallint[], $22::timestamptz[],
         $23::bigint[], $24::bigint[], $25::timestamptz[], $26::timestamptz[], $27::timestamptz[], $28::int[],
         $29::timestamptz[]
       ) AS n(
         part, id, prefix, place, flow_id, flow_version, caller, request_id, requester, department, channel, title,
         description, fields, urgency, impact, needed_today, needed_today_reason, created_at, state, priority,
         queued_at, queued_seq, term_us, running_since, due_at, half_at, sla_gen, first_response_due)
    LEFT JOIN numbers f ON f.flow_id = n.flow_id
   CROSS JOIN LATERAL (SELECT f.next + n.place AS no) x
  RETURNING id, number
), event_rows AS MATERIALIZED (
  SELECT n.* FROM unnest(
      $30::smallint[], $31::uuid[], $32::text[], $33::text[], $34::timestamptz[], $35::text[], $36::jsonb[],
      $37::smallint[], $38::text[], $39::uuid[], $40::text[], $41::text[]
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
      $42::smallint[], $43::uuid[], $44::text[], $45::int[], $46::timestamptz[]
    ) AS n(
      part, ticket_id, kind, gen, due_at)
  RETURNING 1
)
SELECT NULL::uuid AS id, NULL::text AS number, (SELECT count(*) FROM events) AS events,
       (SELECT count(*) FROM posted) AS posted, (SELECT count(*) FROM answered) AS answered,
       (SELECT count(*) FROM armed) AS armed
 UNION ALL
SELECT b.id, b.number, NULL, NULL, NULL, NULL FROM born b
