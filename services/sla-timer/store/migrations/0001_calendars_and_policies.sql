-- Calendars and SLA policies: versioned definitions, the latest of each id is in force.
CREATE SCHEMA IF NOT EXISTS sla_timer;
GRANT USAGE ON SCHEMA sla_timer TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
ALTER DEFAULT PRIVILEGES IN SCHEMA sla_timer
  GRANT SELECT ON TABLES TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;

CREATE TABLE sla_timer.calendar_version (
  id           text        NOT NULL,
  version      int         NOT NULL CHECK (version >= 1),
  definition   jsonb       NOT NULL,
  published_by text        NOT NULL,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (id, version)
);
CREATE TABLE sla_timer.policy_version (
  id           text        NOT NULL,
  version      int         NOT NULL CHECK (version >= 1),
  definition   jsonb       NOT NULL,
  published_by text        NOT NULL,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (id, version)
);
GRANT INSERT ON sla_timer.calendar_version, sla_timer.policy_version TO potok_sla_timer;
