-- One role a service; schema grants below and RLS in 0001 say what each may write.
-- Roles live in the cluster, not in the database, so a second database of the same cluster finds them made.
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['potok_intake','potok_router','potok_sla_timer','potok_notifier','potok_analytics'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I LOGIN', r);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;  -- made by an earlier migration or by a concurrent one of another database
    END;
  END LOOP;
  -- All services in one process: a member of each, so that row security holds there too.
  BEGIN
    CREATE ROLE potok_allinone LOGIN IN ROLE potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
  END;
END $$;
CREATE SCHEMA IF NOT EXISTS ledger;
GRANT USAGE ON SCHEMA ledger TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
ALTER DEFAULT PRIVILEGES IN SCHEMA ledger
  GRANT SELECT ON TABLES TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
