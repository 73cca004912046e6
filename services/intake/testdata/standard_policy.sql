-- What the sla-timer service would have stored: the policy that the ready templates name.
INSERT INTO sla_timer.calendar_version VALUES
  ('ru', 1, '{"name":"Пятидневка","zone":"Europe/Moscow",
              "week":[[[540,1080]],[[540,1080]],[[540,1080]],[[540,1080]],[[540,1080]],[],[]]}', 'test', now());
INSERT INTO sla_timer.policy_version VALUES
  ('standard', 1, '{"name":"Обычная","calendar_id":"ru","fallback":{"resolution":{"unit":"working_days","amount":2}}}',
   'test', now());
