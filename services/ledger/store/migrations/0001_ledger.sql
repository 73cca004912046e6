-- The ledger: every ticket, every event, and what moves with them in one commit.
-- `part` leads every primary key: it is the one key of distribution (ARCHITECTURE.md, "Beyond one machine").

-- Business time ---------------------------------------------------------------------------------------
-- At most one row. Demo and replay scale time; production has no row and business time is the database's.
CREATE TABLE ledger.clock_origin (
  only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  real_origin     timestamptz NOT NULL,
  business_origin timestamptz NOT NULL,
  scale           double precision NOT NULL CHECK (scale > 0)
);
CREATE FUNCTION ledger.business_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT coalesce((SELECT business_origin + scale * (clock_timestamp() - real_origin) FROM ledger.clock_origin),
                  clock_timestamp())
$$;

-- Tickets ---------------------------------------------------------------------------------------------
CREATE TABLE ledger.ticket (
  part               smallint    NOT NULL,
  id                 uuid        NOT NULL,
  version            bigint      NOT NULL CHECK (version >= 1),
  number             text        NOT NULL,
  flow_id            text        NOT NULL,
  flow_version       int         NOT NULL,
  caller             text        NOT NULL,  -- principal that filed it, with request_id the idempotency key
  request_id         uuid        NOT NULL,
  requester          text        NOT NULL,  -- employee id
  department         text        NOT NULL DEFAULT '',  -- of the requester when it was filed
  channel            text        NOT NULL DEFAULT 'portal',
  title              text        NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
  description        text        NOT NULL DEFAULT '',
  fields             jsonb       NOT NULL DEFAULT '{}',
  urgency            smallint    NOT NULL CHECK (urgency BETWEEN 1 AND 3),
  impact             smallint    NOT NULL CHECK (impact BETWEEN 1 AND 3),
  needed_today       boolean     NOT NULL DEFAULT false,
  needed_today_reason text       NOT NULL DEFAULT '',
  created_at         timestamptz NOT NULL,
  -- what events change
  state              text        NOT NULL CHECK (state IN ('PENDING_APPROVAL','QUEUED','ASSIGNED','IN_PROGRESS',
                                   'WAITING','RESOLVED','CLOSED','ARCHIVED','CANCELLED')),
  assignee           text,
  sticky_agent       text,
  line               smallint    NOT NULL DEFAULT 1 CHECK (line BETWEEN 1 AND 3),
  pending_line       smallint    NOT NULL DEFAULT 0 CHECK (pending_line BETWEEN 0 AND 3),
  priority           smallint    NOT NULL CHECK (priority BETWEEN 1 AND 4),
  queued_at          timestamptz,
  queued_seq         bigint      NOT NULL DEFAULT 0,
  queue_front        boolean     NOT NULL DEFAULT false,
  excluded           text[]      NOT NULL DEFAULT '{}',
  term_us            bigint      CHECK (term_us > 0),
  consumed_us        bigint      NOT NULL DEFAULT 0 CHECK (consumed_us >= 0),
  running_since      timestamptz,
  due_at             timestamptz,
  half_at            timestamptz,
  sla_gen            int         NOT NULL DEFAULT 0,
  half_reminded      boolean     NOT NULL DEFAULT false,
  breached_at        timestamptz,
  escalation_level   smallint    NOT NULL DEFAULT 0,
  first_response_due timestamptz,
  first_response_at  timestamptz,
  first_response_breached boolean NOT NULL DEFAULT false,
  resolved_at        timestamptz,
  autoclose_at       timestamptz,
  closed_at          timestamptz,
  closure_no         int         NOT NULL DEFAULT 0,
  rated_closure      int         NOT NULL DEFAULT 0 CHECK (rated_closure <= closure_no),
  rating             smallint    CHECK (rating BETWEEN 1 AND 5),
  rating_comment     text        NOT NULL DEFAULT '',
  result             text        NOT NULL DEFAULT '',
  return_count       int         NOT NULL DEFAULT 0,
  reopen_count       int         NOT NULL DEFAULT 0,
  hops               int         NOT NULL DEFAULT 0,
  comment_count      int         NOT NULL DEFAULT 0,
  updated_at         timestamptz NOT NULL,
  PRIMARY KEY (part, id),
  CHECK ((state IN ('ASSIGNED','IN_PROGRESS','WAITING')) = (assignee IS NOT NULL)),
  CHECK ((state = 'QUEUED') = (queued_at IS NOT NULL)),
  CHECK (running_since IS NULL OR state IN ('QUEUED','ASSIGNED','IN_PROGRESS')),
  CHECK ((state = 'RESOLVED' AND resolved_at IS NOT NULL) OR state <> 'RESOLVED'),
  CHECK ((state IN ('CLOSED','ARCHIVED','CANCELLED')) = (closed_at IS NOT NULL))
) WITH (fillfactor = 85);
-- The queue of a flow in the router's order; only queued tickets are in it, so it stays small.
CREATE INDEX ticket_queue ON ledger.ticket (flow_id, queued_at) WHERE state = 'QUEUED';
-- An agent's list of work by due time.
CREATE INDEX ticket_holder ON ledger.ticket (assignee, due_at) WHERE assignee IS NOT NULL;
-- A requester's own tickets, newest first.
CREATE INDEX ticket_requester ON ledger.ticket (requester, created_at DESC, id);
-- Lists of a flow, newest first, and the unfiltered list.
CREATE INDEX ticket_flow ON ledger.ticket (flow_id, created_at DESC, id);
CREATE INDEX ticket_created ON ledger.ticket (created_at DESC, id);
CREATE INDEX ticket_number ON ledger.ticket (number);
-- The sweep for line moves that the escalation asked for.
CREATE INDEX ticket_pending_line ON ledger.ticket (flow_id) WHERE pending_line > 0;

-- The append-only log: history, audit and the source of every report.
CREATE TABLE ledger.ticket_event (
  part        smallint    NOT NULL,
  ticket_id   uuid        NOT NULL,
  version     bigint      NOT NULL CHECK (version >= 1),
  type        text        NOT NULL,
  actor       text        NOT NULL,   -- principal, or "system"
  at          timestamptz NOT NULL,   -- business time
  state_after text        NOT NULL,
  body        jsonb       NOT NULL,
  PRIMARY KEY (part, ticket_id, version)
);
-- Words people wrote, apart from the facts: anonymising a person or a legal purge removes words without
-- touching the log's facts.
CREATE TABLE ledger.event_text (
  part      smallint NOT NULL,
  ticket_id uuid     NOT NULL,
  version   bigint   NOT NULL,
  text      text     NOT NULL CHECK (char_length(text) <= 65536),
  PRIMARY KEY (part, ticket_id, version)
);

-- Which service may append which event types: a bug in one service cannot write another's facts.
ALTER TABLE ledger.ticket_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_all ON ledger.ticket_event FOR SELECT USING (true);
CREATE POLICY intake_appends ON ledger.ticket_event FOR INSERT TO potok_intake WITH CHECK (type IN
  ('created','started','waiting','resumed','resolved','confirmed','sent_back','rated','cancelled','reopened',
   'commented','deadline_extended','priority_changed'));
CREATE POLICY router_appends ON ledger.ticket_event FOR INSERT TO potok_router WITH CHECK (type IN
  ('assigned','declined','returned','transferred','line_changed'));
CREATE POLICY sla_timer_appends ON ledger.ticket_event FOR INSERT TO potok_sla_timer WITH CHECK (type IN
  ('half_reminded','breached','first_response_breached','escalated','auto_closed'));

-- Numbers: a counter a flow, taken inside the insert, so a number is never skipped.
CREATE TABLE ledger.flow_counter (
  flow_id text   PRIMARY KEY,
  next    bigint NOT NULL CHECK (next >= 1)
);
-- Idempotency of every mutating call: (caller, method, request_id) -> content hash and the version it made.
CREATE TABLE ledger.idem (
  part       smallint    NOT NULL,
  caller     text        NOT NULL,
  request_id uuid        NOT NULL,
  method     text        NOT NULL,
  body_hash  text        NOT NULL,
  ticket_id  uuid        NOT NULL,
  version    bigint      NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (part, caller, request_id, method)
);
CREATE INDEX idem_age ON ledger.idem (at);  -- retention: rows older than seven days are dropped

-- Who holds what ---------------------------------------------------------------------------------------
CREATE TABLE ledger.assignment (
  part          smallint    NOT NULL,
  ticket_id     uuid        NOT NULL,
  version       bigint      NOT NULL,  -- of the event that made it
  agent_id      text        NOT NULL,
  flow_id       text        NOT NULL,
  assigned_at   timestamptz NOT NULL,
  released_at   timestamptz,
  release_type  text,
  active_after  int         NOT NULL,
  cap_at_assign int         NOT NULL,
  PRIMARY KEY (part, ticket_id, version),
  CHECK (active_after <= cap_at_assign),
  CHECK ((released_at IS NULL) = (release_type IS NULL))
);
-- One holder at most: the backstop behind every other check.
CREATE UNIQUE INDEX assignment_one_holder ON ledger.assignment (part, ticket_id) WHERE released_at IS NULL;
CREATE INDEX assignment_agent ON ledger.assignment (agent_id, flow_id) WHERE released_at IS NULL;

-- Exact load of an agent in a flow; the row with flow_id '' is the optional total over flows.
CREATE TABLE ledger.agent_load (
  agent_id         text        NOT NULL,
  flow_id          text        NOT NULL,
  active           int         NOT NULL DEFAULT 0 CHECK (active >= 0),
  cap              int         NOT NULL CHECK (cap >= 0),
  last_assigned_at timestamptz,
  PRIMARY KEY (agent_id, flow_id)
);
-- The ring position of a flow. Its own table: locking it never meets a foreign key or a reader of flows.
CREATE TABLE ledger.flow_cursor (
  flow_id    text   PRIMARY KEY,
  last_agent text   NOT NULL DEFAULT '',
  passes     bigint NOT NULL DEFAULT 0
);

-- Timers -------------------------------------------------------------------------------------------------
CREATE TABLE ledger.sla_timer (
  part      smallint    NOT NULL,
  ticket_id uuid        NOT NULL,
  kind      text        NOT NULL CHECK (kind IN ('half','breach','first_response','autoclose','escalate')),
  gen       int         NOT NULL,
  due_at    timestamptz NOT NULL,
  state     text        NOT NULL CHECK (state IN ('armed','fired','cancelled','parked')),
  attempts  smallint    NOT NULL DEFAULT 0,
  PRIMARY KEY (part, ticket_id, kind)
);
CREATE INDEX sla_timer_due ON ledger.sla_timer (part, due_at) WHERE state = 'armed';
-- Exactly once in effect: the primary key refuses a second fire of one generation.
CREATE TABLE ledger.sla_fired (
  part      smallint    NOT NULL,
  ticket_id uuid        NOT NULL,
  kind      text        NOT NULL,
  gen       int         NOT NULL,
  due_at    timestamptz NOT NULL,
  fired_at  timestamptz NOT NULL,
  version   bigint      NOT NULL,
  late_us   bigint      NOT NULL,  -- real microseconds after the due instant
  PRIMARY KEY (part, ticket_id, kind, gen),
  CHECK (fired_at >= due_at)
);

-- Transport ------------------------------------------------------------------------------------------------
CREATE TABLE ledger.outbox (
  part    smallint NOT NULL,
  id      bigint   NOT NULL GENERATED ALWAYS AS IDENTITY,
  topic   smallint NOT NULL CHECK (topic IN (1,2,3)),
  entity  uuid     NOT NULL,
  version bigint   NOT NULL,
  type    text     NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),  -- real time: the age of the oldest row is the relay's lag
  PRIMARY KEY (part, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE TABLE ledger.event_log (
  topic   smallint    NOT NULL,
  part    smallint    NOT NULL,
  pos     bigint      NOT NULL,
  entity  uuid        NOT NULL,
  version bigint      NOT NULL,
  type    text        NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, part, pos)
);
CREATE INDEX event_log_entity ON ledger.event_log (entity, version);
CREATE TABLE ledger.part_head (
  topic       smallint NOT NULL,
  part        smallint NOT NULL,
  next_pos    bigint   NOT NULL DEFAULT 1,
  token       uuid,
  incarnation int      NOT NULL DEFAULT 1,
  PRIMARY KEY (topic, part)
);
CREATE TABLE ledger.consumer_offset (
  grp   text     NOT NULL,
  topic smallint NOT NULL,
  part  smallint NOT NULL,
  pos   bigint   NOT NULL DEFAULT 0,
  token uuid,
  PRIMARY KEY (grp, topic, part)
);
INSERT INTO ledger.part_head (topic, part) SELECT t, p FROM generate_series(1,3) t, generate_series(0,15) p;
INSERT INTO ledger.consumer_offset (grp, topic, part)
  SELECT g, t, p FROM unnest(ARRAY['router','sla','notifier','analytics']) g, generate_series(1,3) t, generate_series(0,15) p
   WHERE g <> 'router' OR t IN (1,2);
CREATE TABLE ledger.lease (
  name        text        PRIMARY KEY,
  owner       text        NOT NULL DEFAULT '',
  epoch       bigint      NOT NULL DEFAULT 0,
  token       uuid,
  acquired_at timestamptz,
  expires_at  timestamptz NOT NULL DEFAULT '-infinity'
);
-- Ownership history: intervals of one name must never overlap (invariant I23).
CREATE TABLE ledger.lease_log (
  name        text        NOT NULL,
  epoch       bigint      NOT NULL,
  owner       text        NOT NULL,
  token       uuid        NOT NULL,
  acquired_at timestamptz NOT NULL,
  PRIMARY KEY (name, epoch)
);
CREATE TABLE ledger.dlq (
  grp       text        NOT NULL,
  topic     smallint    NOT NULL,
  part      smallint    NOT NULL,
  pos       bigint      NOT NULL,
  entity    uuid        NOT NULL,
  version   bigint      NOT NULL,
  type      text        NOT NULL,
  attempts  int         NOT NULL,
  reason    text        NOT NULL,
  state     text        NOT NULL CHECK (state IN ('parked','replayed','dropped')),
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  note      text        NOT NULL DEFAULT '',
  PRIMARY KEY (grp, topic, part, pos)
);

-- Reference data changes bump its epoch; every service re-reads what moved.
CREATE TABLE ledger.reference_epoch (
  kind  text   PRIMARY KEY,
  epoch bigint NOT NULL DEFAULT 1
);
INSERT INTO ledger.reference_epoch (kind) VALUES ('flow'),('calendar'),('sla_policy'),('directory'),('member');

-- The state machine as data, for invariant I9; a test holds it equal to desk/ticket/state.cc.
CREATE TABLE ledger.legal_move (a text NOT NULL, b text NOT NULL, PRIMARY KEY (a, b));
INSERT INTO ledger.legal_move (a, b) VALUES
  ('ASSIGNED','CANCELLED'),
  ('ASSIGNED','IN_PROGRESS'),
  ('ASSIGNED','QUEUED'),
  ('ASSIGNED','WAITING'),
  ('CLOSED','QUEUED'),
  ('IN_PROGRESS','ASSIGNED'),
  ('IN_PROGRESS','CANCELLED'),
  ('IN_PROGRESS','CLOSED'),
  ('IN_PROGRESS','QUEUED'),
  ('IN_PROGRESS','RESOLVED'),
  ('IN_PROGRESS','WAITING'),
  ('PENDING_APPROVAL','CANCELLED'),
  ('QUEUED','ASSIGNED'),
  ('QUEUED','CANCELLED'),
  ('RESOLVED','CLOSED'),
  ('RESOLVED','IN_PROGRESS'),
  ('RESOLVED','QUEUED'),
  ('WAITING','ASSIGNED'),
  ('WAITING','CANCELLED'),
  ('WAITING','IN_PROGRESS'),
  ('WAITING','QUEUED');

-- Grants: truth is appended, never rewritten. No role may UPDATE or DELETE an event.
GRANT INSERT ON ledger.ticket_event, ledger.event_text TO potok_intake, potok_router, potok_sla_timer;
GRANT INSERT, UPDATE ON ledger.ticket TO potok_intake, potok_router, potok_sla_timer;
GRANT INSERT, UPDATE ON ledger.flow_counter TO potok_intake, potok_router, potok_sla_timer;
GRANT INSERT, DELETE ON ledger.idem TO potok_intake, potok_router, potok_sla_timer;
GRANT INSERT, UPDATE ON ledger.assignment, ledger.agent_load, ledger.sla_timer TO potok_intake, potok_router, potok_sla_timer;
GRANT INSERT ON ledger.sla_fired TO potok_sla_timer;
GRANT INSERT, UPDATE ON ledger.flow_cursor TO potok_router;
GRANT INSERT, DELETE, UPDATE ON ledger.outbox TO potok_intake, potok_router, potok_sla_timer;
GRANT INSERT, DELETE ON ledger.event_log TO potok_intake;
GRANT UPDATE ON ledger.part_head, ledger.consumer_offset
  TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
GRANT INSERT, UPDATE ON ledger.lease, ledger.clock_origin, ledger.reference_epoch, ledger.dlq
  TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
GRANT DELETE ON ledger.lease TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
GRANT INSERT ON ledger.lease_log TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
