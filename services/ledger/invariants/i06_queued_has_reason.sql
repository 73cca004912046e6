-- A queued ticket has a reason; "READY" is not one that lasts, the flow's mode is one only while it is its mode, and
-- no other holds while somebody who could take the ticket is idle. Who is outside working hours only a calendar can
-- say: flows that ask for them are looked at no further. And nothing that left the queue keeps a reason.
WITH flow AS (
  SELECT f.id, coalesce(v.definition->>'mode', 'round_robin') AS mode,
         coalesce((v.definition->'options'->>'working_hours_only')::boolean, false) AS by_hours
    FROM intake.flow f JOIN intake.flow_version v ON v.flow_id = f.id AND v.version = f.version
), idle AS (
  SELECT m.flow_id, m.employee, m.line
    FROM (SELECT ledger.business_now() AS now) n
   CROSS JOIN router.member m
    JOIN intake.employee e ON e.id = m.employee AND e.active
    JOIN router.presence p ON p.employee = m.employee AND p.status = 'online' AND (p.until_at IS NULL OR p.until_at > n.now)
    JOIN ledger.agent_load l ON l.agent_id = m.employee AND l.flow_id = m.flow_id AND l.active < l.cap
    LEFT JOIN ledger.agent_load total ON total.agent_id = m.employee AND total.flow_id = ''
   WHERE m.removed_at IS NULL AND coalesce(total.active < total.cap, true)
     AND NOT EXISTS (SELECT 1 FROM router.absence a
                      WHERE a.employee = m.employee AND a.starts_at <= n.now AND n.now < a.ends_at)
)
SELECT t.part, t.id::text AS what,
       t.number || ': ' || coalesce(q.reason, 'no reason') || coalesce(', but ' || i.employee || ' is idle', '') AS detail
  FROM ledger.ticket t
  LEFT JOIN router.queue_entry q ON q.part = t.part AND q.ticket_id = t.id
  LEFT JOIN flow f ON f.id = t.flow_id
  LEFT JOIN LATERAL (
        SELECT min(i.employee) AS employee FROM idle i
         WHERE i.flow_id = t.flow_id AND i.line = t.line AND i.employee <> ALL (t.excluded)
           AND f.mode IN ('round_robin','least_loaded') AND NOT f.by_hours) i ON true
 WHERE t.state = 'QUEUED'
   AND (q.reason IS NULL OR q.reason = 'READY' OR i.employee IS NOT NULL
        OR (q.reason = 'MANUAL' AND f.mode NOT IN ('manual','rules'))
        OR (q.reason = 'SELF_PICK' AND f.mode <> 'self_pick'))
UNION ALL
SELECT q.part, q.ticket_id::text, q.reason || ' of a ticket that is not queued'
  FROM router.queue_entry q
 WHERE NOT EXISTS (SELECT 1 FROM ledger.ticket t WHERE t.part = q.part AND t.id = q.ticket_id AND t.state = 'QUEUED')
