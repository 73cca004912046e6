-- Moves the flow kind alone: the employee is renamed too, but nobody is told.
INSERT INTO intake.flow_version (flow_id, version, definition, published_by, published_at) VALUES
  ('hr', 2, '{"prefix":"HR","name_ru":"Кадры","sla_policy":"standard"}', 't', now());
UPDATE intake.employee SET name = 'Анна Новая' WHERE id = 'boss';
UPDATE ledger.reference_epoch SET epoch = epoch + 1 WHERE kind = 'flow';
