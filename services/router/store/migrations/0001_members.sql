-- Who works in which flow.
CREATE SCHEMA IF NOT EXISTS router;
GRANT USAGE ON SCHEMA router TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
ALTER DEFAULT PRIVILEGES IN SCHEMA router
  GRANT SELECT ON TABLES TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;

CREATE TABLE router.member (
  flow_id    text        NOT NULL,
  employee   text        NOT NULL,
  version    bigint      NOT NULL DEFAULT 1,
  line       smallint    NOT NULL DEFAULT 1 CHECK (line BETWEEN 1 AND 3),
  max_active int         CHECK (max_active BETWEEN 1 AND 1000),  -- NULL = the flow's
  calendar   text        NOT NULL DEFAULT '',                    -- working hours; '' = the flow's
  skills     text[]      NOT NULL DEFAULT '{}',
  languages  text[]      NOT NULL DEFAULT '{}',
  removed_at timestamptz,
  PRIMARY KEY (flow_id, employee)
);
CREATE INDEX member_employee ON router.member (employee);
GRANT INSERT, UPDATE, DELETE ON router.member TO potok_router;
