-- Flows and people: small reference tables, read whole into memory by every service (ledger/reference.h).
CREATE SCHEMA IF NOT EXISTS intake;
GRANT USAGE ON SCHEMA intake TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
ALTER DEFAULT PRIVILEGES IN SCHEMA intake
  GRANT SELECT ON TABLES TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;

-- Every published version stays: a ticket keeps the one it was opened under.
CREATE TABLE intake.flow_version (
  flow_id      text        NOT NULL,
  version      int         NOT NULL CHECK (version >= 1),
  definition   jsonb       NOT NULL,
  published_by text        NOT NULL,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (flow_id, version)
);
CREATE TABLE intake.flow (
  id         text        PRIMARY KEY,
  version    int         NOT NULL,       -- the latest published one; also the etag
  prefix     text        NOT NULL UNIQUE, -- two flows with one prefix would give one number twice
  created_at timestamptz NOT NULL,
  FOREIGN KEY (id, version) REFERENCES intake.flow_version (flow_id, version) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE intake.department (
  id         text        PRIMARY KEY,
  version    bigint      NOT NULL DEFAULT 1,
  name_ru    text        NOT NULL DEFAULT '',
  name_en    text        NOT NULL DEFAULT '' CHECK (name_ru <> '' OR name_en <> ''),
  head       text        NOT NULL DEFAULT '',
  parent     text        NOT NULL DEFAULT '',
  updated_at timestamptz NOT NULL
);
CREATE TABLE intake.employee (
  id         text        PRIMARY KEY,
  version    bigint      NOT NULL DEFAULT 1,
  name       text        NOT NULL,
  email      text        NOT NULL DEFAULT '',
  job_title  text        NOT NULL DEFAULT '',
  department text        NOT NULL DEFAULT '',
  manager    text        NOT NULL DEFAULT '',
  zone       text        NOT NULL DEFAULT 'Europe/Moscow',
  locale     text        NOT NULL DEFAULT 'ru' CHECK (locale IN ('ru','en')),
  active     boolean     NOT NULL DEFAULT true,
  updated_at timestamptz NOT NULL
);
-- Idempotency of the mutating calls on reference data, in every service that has them.
CREATE TABLE intake.reference_idem (
  caller     text        NOT NULL,
  method     text        NOT NULL,
  request_id uuid        NOT NULL,
  body_hash  text        NOT NULL,
  answer     bytea       NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (caller, method, request_id)
);
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA intake TO potok_intake;
-- Every service with mutating calls on reference data keeps their answers here.
GRANT INSERT, DELETE ON intake.reference_idem TO potok_router, potok_sla_timer, potok_notifier, potok_analytics;
