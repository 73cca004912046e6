-- The order in which a flow's decisions were made, for invariant I26: passes of one flow follow each other under the
-- lock on its ring, and a pass writes its decisions in the order of the queue. Empty for older rows.
CREATE SEQUENCE router.decision_order;
GRANT USAGE ON SEQUENCE router.decision_order TO potok_router;
ALTER TABLE router.decision ADD COLUMN no bigint;
ALTER TABLE router.decision ALTER COLUMN no SET DEFAULT nextval('router.decision_order');
