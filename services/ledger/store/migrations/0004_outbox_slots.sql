-- The outbox in two slots, so that its dead rows and index entries can be thrown away whole while a long snapshot
-- keeps vacuum from taking them. Rows live milliseconds; which slot takes new ones follows from the clock alone, so
-- nobody has to agree on it, and readers read both. Statements of the release before know nothing of slots and go on.

-- The slot that takes new rows: changes each half minute. A hint, not a truth: a row in the other slot is as good.
CREATE FUNCTION ledger.outbox_slot() RETURNS smallint LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT (floor(extract(epoch FROM clock_timestamp()) / 30)::bigint % 2)::smallint
$$;

LOCK TABLE ledger.outbox IN ACCESS EXCLUSIVE MODE;
CREATE TEMP TABLE outbox_kept ON COMMIT DROP AS
  SELECT part, id, topic, entity, version, type, at FROM ledger.outbox;
-- Ids go on above all that were ever given: they are the order of an entity's events.
CREATE TEMP TABLE outbox_last ON COMMIT DROP AS SELECT last_value FROM ledger.outbox_id_seq;
DROP TABLE ledger.outbox;

CREATE TABLE ledger.outbox (
  part    smallint NOT NULL,
  id      bigint   NOT NULL GENERATED ALWAYS AS IDENTITY,
  slot    smallint NOT NULL DEFAULT ledger.outbox_slot() CHECK (slot IN (0,1)),
  topic   smallint NOT NULL CHECK (topic IN (1,2,3)),
  entity  uuid     NOT NULL,
  version bigint   NOT NULL,
  type    text     NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),  -- real time: the age of the oldest row is the relay's lag
  PRIMARY KEY (part, id, slot)  -- in this order, so that a part is read by id over both slots
) PARTITION BY LIST (slot);
-- Never vacuumed but truncated. A vacuum that finds a table empty also makes the planner believe that it stays so, and
-- prepared statements then read all of it instead of going by the key.
CREATE TABLE ledger.outbox_0 PARTITION OF ledger.outbox FOR VALUES IN (0) WITH (autovacuum_enabled = false);
CREATE TABLE ledger.outbox_1 PARTITION OF ledger.outbox FOR VALUES IN (1) WITH (autovacuum_enabled = false);
GRANT INSERT, DELETE, UPDATE ON ledger.outbox TO potok_intake, potok_router, potok_sla_timer;
GRANT TRUNCATE ON ledger.outbox_0, ledger.outbox_1 TO potok_intake;

SELECT setval(pg_get_serial_sequence('ledger.outbox', 'id'), last_value) FROM outbox_last;
INSERT INTO ledger.outbox (part, id, topic, entity, version, type, at) OVERRIDING SYSTEM VALUE
  SELECT part, id, topic, entity, version, type, at FROM outbox_kept;

-- Throws away the slot that takes no new rows, if it is larger than `keep_bytes` and holds no row. The lock waits for
-- those that still write or read it and is given up after 100 ms, since new readers stand in line behind it. Whether
-- the slot is empty is asked again under the lock: from then on no transaction can have a row in it that is not
-- committed. Truncation is not seen by older snapshots, so whoever reads the outbox and the log in one snapshot locks
-- the outbox first (ACCESS SHARE). Returns 'small', 'rows', 'busy' or 'truncated'.
CREATE FUNCTION ledger.truncate_idle_outbox(keep_bytes bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  idle text := CASE ledger.outbox_slot() WHEN 0 THEN 'ledger.outbox_1' ELSE 'ledger.outbox_0' END;
  found boolean;
BEGIN
  IF pg_total_relation_size(idle::regclass) <= keep_bytes THEN RETURN 'small'; END IF;
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', idle) INTO found;
  IF found THEN RETURN 'rows'; END IF;
  PERFORM set_config('lock_timeout', '100ms', true);
  BEGIN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', idle);
  EXCEPTION WHEN lock_not_available THEN
    RETURN 'busy';
  END;
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', idle) INTO found;
  IF found THEN RETURN 'rows'; END IF;
  EXECUTE format('TRUNCATE %s', idle);
  RETURN 'truncated';
END $$;
