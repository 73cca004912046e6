-- Who was told what: one row for each (event, recipient, channel), which is decided once and ends in one final state.
CREATE SCHEMA IF NOT EXISTS notifier;
GRANT USAGE ON SCHEMA notifier TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
ALTER DEFAULT PRIVILEGES IN SCHEMA notifier
  GRANT SELECT ON TABLES TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;

-- How far each ticket's events have been turned into deliveries. Events are planned in the order of their versions
-- whatever order the topics of the log bring them in, so a ticket's notices keep their order.
CREATE TABLE notifier.planned (
  part      smallint NOT NULL,
  ticket_id uuid     NOT NULL,
  version   bigint   NOT NULL CHECK (version >= 1),
  PRIMARY KEY (part, ticket_id)
) WITH (fillfactor = 80);

CREATE TABLE notifier.delivery (
  part        smallint    NOT NULL,
  id          uuid        NOT NULL,  -- follows from (ticket, version, recipient, channel); carries its part
  ticket_id   uuid        NOT NULL,
  version     bigint      NOT NULL,  -- of the event that caused it
  flow_id     text        NOT NULL,
  rule        text        NOT NULL,  -- notifier/domain/rules.cc
  kind        text        NOT NULL,
  role        text        NOT NULL,
  recipient   text        NOT NULL,
  channel     text        NOT NULL CHECK (channel IN ('inbox','email')),
  address     text        NOT NULL DEFAULT '',
  locale      text        NOT NULL,
  facts       jsonb       NOT NULL,  -- what the text is written from; words people wrote stay in the ledger
  title       text        NOT NULL DEFAULT '',
  message_id  text        NOT NULL DEFAULT '',
  planned_at  timestamptz NOT NULL,  -- business time
  state       text        NOT NULL CHECK (state IN ('pending','sending','sent','dead','suppressed')),
  reason      text        NOT NULL DEFAULT '',  -- of a suppressed one
  attempts    int         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  last_error  text        NOT NULL DEFAULT '',
  -- Retries and leases are real time whatever the business clock does. Of a pending row: not before; of one that is
  -- being sent: the end of its lease, after which anybody may take it. 'infinity': no channel takes it yet.
  next_at     timestamptz NOT NULL,
  token       uuid,                  -- of whoever sends it
  caused_at   timestamptz NOT NULL,  -- real time of the event
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  PRIMARY KEY (part, id),
  -- One effect a cause; in this order it also finds what stands before a row.
  UNIQUE (part, ticket_id, recipient, channel, version),
  CHECK ((state = 'sending') = (token IS NOT NULL)),
  CHECK ((state IN ('sent','dead','suppressed')) = (finished_at IS NOT NULL)),
  CHECK ((state = 'suppressed') = (reason <> ''))
) WITH (fillfactor = 80);
-- What is to be sent next; final rows leave the index, so it stays small.
CREATE INDEX delivery_due ON notifier.delivery (channel, next_at) WHERE state IN ('pending','sending');
-- Lists, newest first: all of them, of a ticket, of a person.
CREATE INDEX delivery_newest ON notifier.delivery (planned_at DESC, id DESC);
CREATE INDEX delivery_ticket ON notifier.delivery ((ticket_id::text));
CREATE INDEX delivery_recipient ON notifier.delivery (recipient, planned_at DESC, id DESC);

-- The last sequence number of an inbox. Its row lock makes numbers visible in their order: a reader who has seen
-- number n has seen all below it.
CREATE TABLE notifier.inbox_head (
  recipient text   PRIMARY KEY,
  last_seq  bigint NOT NULL CHECK (last_seq >= 1)
) WITH (fillfactor = 80);
CREATE TABLE notifier.inbox (
  recipient   text        NOT NULL,
  seq         bigint      NOT NULL,
  part        smallint    NOT NULL,  -- with delivery_id the delivery behind it
  delivery_id uuid        NOT NULL,
  ticket_id   uuid        NOT NULL,
  number      text        NOT NULL,
  version     bigint      NOT NULL,
  kind        text        NOT NULL,
  title       text        NOT NULL,
  text        text        NOT NULL,
  at          timestamptz NOT NULL,  -- business time
  read_at     timestamptz,           -- business time
  PRIMARY KEY (recipient, seq),
  UNIQUE (part, delivery_id)
);
CREATE INDEX inbox_unread ON notifier.inbox (recipient, seq) WHERE read_at IS NULL;

-- A real instant on the business clock: what people are shown.
CREATE FUNCTION notifier.to_business(instant timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce((SELECT o.business_origin + o.scale * (instant - o.real_origin) FROM ledger.clock_origin o), instant)
$$;

GRANT INSERT, UPDATE ON notifier.planned, notifier.delivery, notifier.inbox_head, notifier.inbox TO potok_notifier;
