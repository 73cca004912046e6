-- Who is there, what was decided and why, and why a ticket still waits.
CREATE TABLE router.presence (
  employee   text        PRIMARY KEY,
  status     text        NOT NULL CHECK (status IN ('online','away','offline')),
  until_at   timestamptz,           -- then offline; NULL = until said otherwise
  updated_at timestamptz NOT NULL,
  updated_by text        NOT NULL   -- principal
);
CREATE TABLE router.absence (
  id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  employee   text        NOT NULL,
  kind       text        NOT NULL CHECK (kind IN ('leave','sick','day_off')),
  starts_at  timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,  -- half-open
  comment    text        NOT NULL DEFAULT '',
  created_by text        NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK (ends_at > starts_at)
);
CREATE INDEX absence_employee ON router.absence (employee, starts_at DESC, id DESC);

-- One row for each ticket the router gave away, in the transaction that gave it: everything the policy knew and
-- what it made of it, so that the decision can be shown and run again (router/domain/decision_codec.h).
CREATE TABLE router.decision (
  part         smallint    NOT NULL,
  ticket_id    uuid        NOT NULL,
  version      bigint      NOT NULL,  -- of the `assigned` event it made
  flow_id      text        NOT NULL,
  flow_version int         NOT NULL,
  agent        text        NOT NULL,
  at           timestamptz NOT NULL,
  body         jsonb       NOT NULL,
  PRIMARY KEY (part, ticket_id, version)
);

-- Why a queued ticket is held by nobody. Written only when the reason changes, so a queue that stands still costs
-- no writes. A queued ticket without a row has not been looked at yet.
CREATE TABLE router.queue_entry (
  part      smallint    NOT NULL,
  ticket_id uuid        NOT NULL,
  flow_id   text        NOT NULL,
  reason    text        NOT NULL CHECK (reason IN ('NO_AGENT_PRESENT','ALL_AT_CAP','OUT_OF_HOURS','MANUAL',
                          'SELF_PICK','ALL_DECLINED','NO_MEMBERS')),
  since     timestamptz NOT NULL,
  PRIMARY KEY (part, ticket_id)
);
CREATE INDEX queue_entry_flow ON router.queue_entry (flow_id);

GRANT INSERT, UPDATE, DELETE ON router.presence, router.absence, router.queue_entry TO potok_router;
GRANT INSERT ON router.decision TO potok_router;  -- a decision is a fact: nobody rewrites it
