-- What lies behind a run: any number of tickets of all ages with their events, timers, slots, facts and notices, made
-- set by set as copies of the six that `potokctl load company` let grow (its names are known here). A copy differs by
-- ids, people, flow and a shift in time, so whatever Potok writes into a row, a copy has it too; the columns are taken
-- from the catalogue, so a new one is copied as well. It keeps every invariant: `potokctl verify` follows each load.
--
-- All copies are older than 13 days, past which neither the log nor the answers to request ids are expected.
CREATE SCHEMA bench;

CREATE TABLE bench.age AS
  SELECT substr(t.title, 11) AS age, t.part, t.id, t.requester, t.caller, t.flow_id, t.created_at
    FROM ledger.ticket t WHERE t.title LIKE 'Template: %';

-- The rows to copy, apart from the growing tables.
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT * FROM (VALUES ('ledger.ticket','id'),('ledger.ticket_event','ticket_id'),('ledger.event_text','ticket_id'),
      ('ledger.sla_timer','ticket_id'),('ledger.assignment','ticket_id'),('router.decision','ticket_id'),('router.queue_entry','ticket_id'),
      ('notifier.planned','ticket_id'),('notifier.delivery','ticket_id'),('analytics.ticket_fact','ticket_id')) AS t (name, key) LOOP
    EXECUTE format('CREATE TABLE bench.%I AS SELECT t.* FROM %s t JOIN bench.age a ON a.part = t.part AND a.id = t.%I',
                   split_part(r.name, '.', 2), r.name, r.key);
  END LOOP;
END $$;

-- One notice a ticket is enough for its tables to be large; all of them would be most of the database.
DELETE FROM bench.delivery WHERE kind <> 'confirmation';

-- The body of an event, all of its instants moved and its people replaced.
CREATE FUNCTION bench.moved(body jsonb, us bigint, agent text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT body
    || CASE WHEN body ? 'sla' THEN jsonb_build_object('sla', body->'sla' || jsonb_strip_nulls(jsonb_build_object(
         'running_since', (body->'sla'->>'running_since')::bigint + us, 'due_at', (body->'sla'->>'due_at')::bigint + us,
         'half_at', (body->'sla'->>'half_at')::bigint + us))) ELSE '{}' END
    || jsonb_strip_nulls(jsonb_build_object(
         'autoclose_at', (body->>'autoclose_at')::bigint + us, 'due_at', (body->>'due_at')::bigint + us,
         'first_response_due', (body->>'first_response_due')::bigint + us,
         'agent', CASE WHEN body ? 'agent' THEN agent END, 'from_agent', CASE WHEN body ? 'from_agent' THEN agent END))
$$;

-- One row for each ticket that is being made.
CREATE UNLOGGED TABLE bench.clone (
  no bigint, part smallint, ticket_id uuid, new_part smallint, new_id uuid, request_id uuid, flow_id text, number text,
  requester text, caller text, agent text, shift interval, shift_us bigint, created_at timestamptz
);

-- Copies the rows of one table for all of bench.clone. `changed`: column -> expression over c (clone) and t (its row).
CREATE FUNCTION bench.copy(target text, key text, changed jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE columns text; wanted text;
BEGIN
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
         string_agg(CASE WHEN changed ? a.attname THEN changed->>a.attname
                         WHEN a.attname = key THEN 'c.new_id'
                         WHEN a.attname = 'part' THEN 'c.new_part'
                         WHEN a.atttypid = 'timestamptz'::regtype THEN format('t.%I + c.shift', a.attname)
                         ELSE format('t.%I', a.attname) END, ', ' ORDER BY a.attnum)
    INTO columns, wanted
    FROM pg_attribute a WHERE a.attrelid = target::regclass AND a.attnum > 0 AND NOT a.attisdropped;
  EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM bench.clone c JOIN bench.%I t ON t.part = c.part AND t.%I = c.ticket_id',
                 target, columns, wanted, split_part(target, '.', 2), key);
END $$;

-- Makes `n` tickets of an age; number k is moved in time by `first` + k * `step`. `flows` of the behind-N take them in turn,
-- `agents` of each hold them in turn.
CREATE FUNCTION bench.add(wanted_age text, n bigint, first interval, step interval, flows int, agents int, requesters int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  from_no bigint := coalesce((SELECT sum(next) FROM ledger.flow_counter), 0) * 10;
  tables text;
BEGIN
  IF n <= 0 THEN RETURN; END IF;
  TRUNCATE bench.clone;
  INSERT INTO bench.clone
  SELECT g.no, a.part, a.id, g.new_part,
         (substr(g.ms, 1, 8) || '-' || substr(g.ms, 9, 4) || '-7' || lpad(to_hex(g.new_part::int), 3, '0') || '-8' || substr(g.hash, 1, 3)
           || '-' || substr(g.hash, 4, 12))::uuid,
         md5(g.hash)::uuid, g.flow,
         format('BEH%s-%s', chr(65 + substr(g.flow, 8)::int), lpad(x.no, greatest(6, length(x.no)), '0')),
         'load-' || g.no * 7 % requesters, replace(a.caller, a.requester, 'load-' || g.no * 7 % requesters),
         g.flow || '-agent-' || (g.no / flows) % agents, g.shift, round(extract(epoch FROM g.shift) * 1000000), a.created_at + g.shift
    FROM bench.age a
   CROSS JOIN LATERAL (
          SELECT k AS no, (k % 16)::smallint AS new_part, 'behind-' || k % flows AS flow, first + k * step AS shift,
                 lpad(to_hex((extract(epoch FROM a.created_at + first + k * step) * 1000)::bigint), 12, '0') AS ms,
                 md5(wanted_age || ' ' || from_no || ' ' || k) AS hash
            FROM generate_series(0, n - 1) k) g
   CROSS JOIN LATERAL (
          SELECT (coalesce((SELECT f.next FROM ledger.flow_counter f WHERE f.flow_id = g.flow), 1) + g.no / flows)::text AS no) x
   WHERE a.age = wanted_age;
  ANALYZE bench.clone;
  PERFORM bench.copy('ledger.ticket', 'id', '{"number": "c.number", "flow_id": "c.flow_id", "caller": "c.caller", "requester": "c.requester",
    "request_id": "c.request_id", "queued_seq": "t.queued_seq + c.shift_us", "assignee": "CASE WHEN t.assignee IS NOT NULL THEN c.agent END",
    "sticky_agent": "CASE WHEN t.sticky_agent IS NOT NULL THEN c.agent END", "title": "''Request '' || c.no || '' of long ago''"}');
  PERFORM bench.copy('ledger.ticket_event', 'ticket_id', format('{"body": "bench.moved(t.body, c.shift_us, c.agent)",
    "actor": "CASE WHEN t.actor = %1$s THEN c.caller ELSE replace(t.actor, ''behind-0-agent-0'', c.agent) END"}',
    (SELECT quote_literal(a.caller) FROM bench.age a WHERE a.age = wanted_age))::jsonb);
  PERFORM bench.copy('ledger.event_text', 'ticket_id', '{}');
  PERFORM bench.copy('ledger.sla_timer', 'ticket_id', '{}');
  PERFORM bench.copy('ledger.assignment', 'ticket_id', '{"agent_id": "c.agent", "flow_id": "c.flow_id",
    "taken_no": "nextval(''ledger.slot_order'')",
    "released_no": "CASE WHEN t.released_at IS NOT NULL THEN nextval(''ledger.slot_order'') END"}');
  PERFORM bench.copy('router.decision', 'ticket_id', '{"agent": "c.agent", "flow_id": "c.flow_id",
    "no": "nextval(''router.decision_order'')"}');
  PERFORM bench.copy('router.queue_entry', 'ticket_id', '{"flow_id": "c.flow_id"}');
  PERFORM bench.copy('notifier.planned', 'ticket_id', '{}');
  PERFORM bench.copy('notifier.delivery', 'ticket_id', '{"id": "gen_random_uuid()", "flow_id": "c.flow_id",
    "recipient": "CASE WHEN t.recipient LIKE ''behind-0-agent-%'' THEN c.agent WHEN t.recipient LIKE ''load-%'' THEN c.requester ELSE t.recipient END"}');
  PERFORM bench.copy('analytics.ticket_fact', 'ticket_id', '{"flow_id": "c.flow_id", "day": "(c.created_at AT TIME ZONE ''UTC'')::date",
    "holder": "CASE WHEN t.holder <> '''' THEN c.agent ELSE '''' END", "resolver": "CASE WHEN t.resolver <> '''' THEN c.agent ELSE '''' END",
    "assignments": "CASE WHEN t.assignments = ''{}'' THEN t.assignments ELSE jsonb_build_object(c.agent, 1) END"}');

  SELECT string_agg(format('%I = r.%1$I + excluded.%1$I', a.attname), ', ') INTO tables
    FROM pg_attribute a WHERE a.attrelid = 'analytics.rollup_day'::regclass AND a.attnum > 4 AND NOT a.attisdropped;
  -- One fact stands for all of its part, flow, agent and day: they differ in nothing that counts.
  EXECUTE format(
    'INSERT INTO analytics.rollup_day AS r SELECT p.part, p.flow_id, p.agent_id, p.day, %s FROM (
       SELECT x.f, count(*) AS n FROM (
         SELECT ROW(c.new_part, NULL, t.version, c.flow_id, t.department, t.channel, t.priority, t.state, (c.created_at AT TIME ZONE ''UTC'')::date,
                    CASE WHEN t.holder <> '''' THEN c.agent ELSE '''' END, CASE WHEN t.resolver <> '''' THEN c.agent ELSE '''' END,
                    NULL, NULL, NULL, NULL, t.has_term, t.breached, t.consumed_us, t.rating, t.return_count, t.reopen_count,
                    CASE WHEN t.assignments = ''{}'' THEN t.assignments ELSE jsonb_build_object(c.agent, 1) END)::analytics.ticket_fact AS f
           FROM bench.clone c JOIN bench.ticket_fact t ON t.part = c.part AND t.ticket_id = c.ticket_id) x GROUP BY x.f) g,
       LATERAL analytics.contribution(g.f) p GROUP BY p.part, p.flow_id, p.agent_id, p.day
     ON CONFLICT (part, flow_id, agent_id, day) DO UPDATE SET %s',
    (SELECT string_agg(format('sum(g.n * p.%I)', a.attname), ', ' ORDER BY a.attnum)
       FROM pg_attribute a WHERE a.attrelid = 'analytics.rollup_day'::regclass AND a.attnum > 4 AND NOT a.attisdropped), tables);

  UPDATE ledger.agent_load l SET active = l.active + x.n
    FROM (SELECT c.agent, c.flow_id, count(*) AS n FROM bench.clone c
            JOIN bench.assignment t ON t.part = c.part AND t.ticket_id = c.ticket_id AND t.released_at IS NULL GROUP BY 1, 2) x
   WHERE l.agent_id = x.agent AND l.flow_id IN (x.flow_id, '');
  INSERT INTO ledger.flow_counter AS f (flow_id, next) SELECT c.flow_id, count(*) + 1 FROM bench.clone c GROUP BY c.flow_id
      ON CONFLICT (flow_id) DO UPDATE SET next = f.next + excluded.next - 1;
END $$;

-- Secondary indexes are made at the end rather than row by row when much is added.
CREATE TABLE bench.parked (definition text);
CREATE FUNCTION bench.park_indexes() RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  FOR r IN SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
             FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
            WHERE c.relnamespace IN ('ledger'::regnamespace, 'notifier'::regnamespace, 'analytics'::regnamespace)
              AND c.relname IN ('ticket','sla_timer','assignment','delivery','ticket_fact') AND NOT i.indisunique LOOP
    INSERT INTO bench.parked VALUES (r.definition);
    EXECUTE 'DROP INDEX ' || r.name;
  END LOOP;
END $$;
CREATE FUNCTION bench.make_indexes() RETURNS void LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
  FOR r IN DELETE FROM bench.parked RETURNING definition LOOP EXECUTE r.definition; END LOOP;
END $$;
