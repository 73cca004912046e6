-- A small company, as the other services would have written it. Policies and calendars come from the test.
INSERT INTO intake.department (id, name_ru, head, parent, updated_at) VALUES ('sales', 'Продажи', 'chief', '', now());
INSERT INTO intake.employee (id, name, department, manager, active, updated_at) VALUES
  ('petrov', 'Пётр Петров', 'sales', 'chief', true, now()),
  ('chief', 'Анна Главная', 'sales', '', true, now()),
  ('agent1', 'Иван Админов', '', 'boss', true, now()),
  ('boss', 'Ольга Старшая', '', '', true, now()),
  ('stranger', 'Олег Чужой', '', '', true, now());
INSERT INTO intake.flow_version (flow_id, version, definition, published_by, published_at) VALUES
  ('it', 1, '{"prefix":"IT","name_ru":"Техподдержка","name_en":"IT support","sla_policy":"standard","lines":2,
              "admins":["boss"],"manager":"boss"}', 'test', now()),
  ('fast', 1, '{"prefix":"FST","name_ru":"Быстрые","name_en":"Fast","sla_policy":"hourly","admins":["boss"]}',
   'test', now());
INSERT INTO intake.flow (id, version, prefix, created_at) VALUES ('it', 1, 'IT', now()), ('fast', 1, 'FST', now());
INSERT INTO router.member (flow_id, employee, line) VALUES ('it', 'agent1', 1), ('fast', 'agent1', 1);
INSERT INTO ledger.agent_load (agent_id, flow_id, active, cap) VALUES ('agent1', 'it', 0, 1000), ('agent1', 'fast', 0, 1000);
