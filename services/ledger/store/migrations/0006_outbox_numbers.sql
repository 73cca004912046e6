-- Intake tells a short outbox from a long one by the numbers that were given, without counting rows
-- (intake/store/sql/admission_facts.sql).
GRANT SELECT ON SEQUENCE ledger.outbox_id_seq TO potok_intake;
