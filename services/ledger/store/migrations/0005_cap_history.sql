-- What the invariants replay: the order in which slots are taken and given back, the caps that held then (I3), and
-- when a lease ended for its owner (I23).
--
-- Instants do not say that order: they are business time of several replicas, read before the locks are gained. A
-- number drawn while the agent's load row is locked does: of two who take a slot of one agent, the later one draws
-- the higher number.
CREATE SEQUENCE ledger.slot_order;
GRANT USAGE ON SEQUENCE ledger.slot_order TO potok_intake, potok_router, potok_sla_timer;
-- Empty for what was taken before this migration, and for what an older binary gave back.
ALTER TABLE ledger.assignment ADD COLUMN taken_no bigint, ADD COLUMN released_no bigint;
ALTER TABLE ledger.assignment ALTER COLUMN taken_no SET DEFAULT nextval('ledger.slot_order');

-- Every cap that ever held, of an agent in a flow and, with flow_id '', over all flows.
CREATE TABLE ledger.cap_log (
  agent_id text        NOT NULL,
  flow_id  text        NOT NULL,
  no       bigint      NOT NULL DEFAULT nextval('ledger.slot_order'),
  cap      int         NOT NULL,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (agent_id, flow_id, no)
);
GRANT INSERT ON ledger.cap_log TO potok_intake, potok_router, potok_sla_timer;
-- A trigger, so that no path to a cap can forget it. Taking and giving back a slot does not write the cap and does
-- not meet it.
CREATE FUNCTION ledger.log_cap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ledger.cap_log (agent_id, flow_id, cap) VALUES (NEW.agent_id, NEW.flow_id, NEW.cap);
  RETURN NULL;
END $$;
CREATE TRIGGER cap_set AFTER INSERT ON ledger.agent_load FOR EACH ROW EXECUTE FUNCTION ledger.log_cap();
CREATE TRIGGER cap_changed AFTER UPDATE OF cap ON ledger.agent_load FOR EACH ROW
  WHEN (OLD.cap <> NEW.cap) EXECUTE FUNCTION ledger.log_cap();
INSERT INTO ledger.cap_log (agent_id, flow_id, cap) SELECT agent_id, flow_id, cap FROM ledger.agent_load;

-- An owner's time ends with the last expiry that was written for it, or where it gave the lease back; a successor
-- that came earlier shows here. Only a change of hands meets the trigger, a renewal does not.
ALTER TABLE ledger.lease_log ADD COLUMN ended_at timestamptz;
GRANT UPDATE (ended_at) ON ledger.lease_log
  TO potok_intake, potok_router, potok_sla_timer, potok_notifier, potok_analytics;
CREATE FUNCTION ledger.end_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger.lease_log SET ended_at = OLD.expires_at WHERE name = OLD.name AND epoch = OLD.epoch;
  RETURN NULL;
END $$;
CREATE TRIGGER lease_changes_hands AFTER UPDATE ON ledger.lease FOR EACH ROW
  WHEN (OLD.token IS DISTINCT FROM NEW.token) EXECUTE FUNCTION ledger.end_lease();
