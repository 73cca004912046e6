-- Rows for the tables that old tickets leave empty, so that plans are made against tables as large as a year makes them
-- (P14). Only their number and spread matter: nothing else reads this database.
SET synchronous_commit = off;
INSERT INTO ledger.event_log (topic, part, pos, entity, version, type, at)
  SELECT 1 + e.version % 3, e.part, 1000000000 + row_number() OVER (PARTITION BY 1 + e.version % 3, e.part), e.ticket_id, e.version, e.type, e.at
    FROM ledger.ticket_event e;
INSERT INTO ledger.outbox (part, slot, topic, entity, version, type)
  SELECT e.part, e.version % 2, 1 + e.version % 3, e.ticket_id, e.version, e.type FROM ledger.ticket_event e LIMIT 100000;
INSERT INTO router.queue_entry (part, ticket_id, flow_id, reason, since)
  SELECT t.part, t.id, t.flow_id, 'MANUAL', t.created_at FROM ledger.ticket t ON CONFLICT DO NOTHING;
INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version, at)
  SELECT t.part, t.caller, t.request_id, 'CreateTicket', md5(t.id::text), t.id, 1, t.created_at FROM ledger.ticket t
  ON CONFLICT DO NOTHING;
INSERT INTO ledger.sla_fired (part, ticket_id, kind, gen, due_at, fired_at, version, late_us)
  SELECT s.part, s.ticket_id, s.kind, s.gen, s.due_at, s.due_at, 1, 0 FROM ledger.sla_timer s ON CONFLICT DO NOTHING;
INSERT INTO ledger.dlq (grp, topic, part, pos, entity, version, type, attempts, reason, state)
  SELECT 'notifier', l.topic, l.part, l.pos, l.entity, l.version, l.type, 3, 'x', CASE WHEN l.pos % 50 = 0 THEN 'parked' ELSE 'dropped' END
    FROM ledger.event_log l LIMIT 200000;
INSERT INTO router.decision (part, ticket_id, version, flow_id, flow_version, agent, at, body)
  SELECT a.part, a.ticket_id, a.version, a.flow_id, 1, a.agent_id, a.assigned_at, '{}' FROM ledger.assignment a ON CONFLICT DO NOTHING;
INSERT INTO notifier.inbox (recipient, seq, part, delivery_id, ticket_id, number, version, kind, title, text, at, read_at)
  SELECT d.recipient, 1000000 + row_number() OVER (PARTITION BY d.recipient), d.part, d.id, d.ticket_id, 'X-000001', d.version, d.kind, 'x', 'x',
         d.planned_at, CASE WHEN d.version % 20 = 0 THEN NULL ELSE d.planned_at END
    FROM notifier.delivery d ON CONFLICT DO NOTHING;
VACUUM ANALYZE;
