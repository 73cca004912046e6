-- A small company, as the services would have written it, with one damaged row of each kind of definition.
INSERT INTO intake.department (id, name_ru, head, parent, updated_at) VALUES
  ('finance', 'Финансы', 'boss', '', now()),
  ('accounting', 'Бухгалтерия', '', 'finance', now()),
  -- A circle: no import makes one, but a viewer must come out even then.
  ('ring-a', 'А', 'ringleader', 'ring-b', now()),
  ('ring-b', 'Б', '', 'ring-a', now());
INSERT INTO intake.employee (id, name, department, manager, active, updated_at) VALUES
  ('boss', 'Анна Главная', 'finance', '', true, now()),
  ('clerk', 'Пётр Счётов', 'accounting', 'boss', true, now()),
  ('gone', 'Иван Ушедший', '', '', false, now());
INSERT INTO intake.flow_version (flow_id, version, definition, published_by, published_at) VALUES
  ('it', 1, '{"prefix":"IT","name_ru":"Поддержка","sla_policy":"standard","admins":["boss","gone"]}', 't', now()),
  ('it', 2, '{"prefix":"IT","name_ru":"Поддержка 2","sla_policy":"standard","admins":["boss","gone"],"manager":"clerk"}', 't', now()),
  ('it', 3, '{"prefix":"IT","form":[{"type":"hologram"}]}', 't', now()),
  ('hr', 1, '{"prefix":"HR","sla_policy":"nowhere","admins":["clerk"]}', 't', now());
INSERT INTO sla_timer.calendar_version VALUES
  ('ru', 1, '{"zone":"Europe/Moscow","week":[[[540,1080]],[],[],[],[],[],[]]}', 't', now()),
  ('broken', 1, '{"zone":"Moon/Base","week":[[[540,1080]],[],[],[],[],[],[]]}', 't', now());
INSERT INTO sla_timer.policy_version VALUES
  ('standard', 1, '{"name":"Обычная","calendar_id":"ru","fallback":{"resolution":{"unit":"working_days","amount":1}}}', 't', now()),
  ('standard', 2, '{"name":"Обычная","calendar_id":"ru","fallback":{"resolution":{"unit":"working_days","amount":2}}}', 't', now()),
  ('broken', 1, '{"fallback":{"resolution":{"unit":"moons","amount":2}}}', 't', now());
INSERT INTO router.member (flow_id, employee, line, skills, removed_at) VALUES
  ('it', 'clerk', 2, '{linux,"1С"}', NULL),
  ('it', 'boss', 1, '{}', NULL),
  ('it', 'gone', 1, '{}', NULL),
  ('hr', 'clerk', 1, '{}', now());
