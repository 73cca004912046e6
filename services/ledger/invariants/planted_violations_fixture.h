// One violation of each invariant, to be planted into a desk at rest.
#pragma once

namespace potok::ledger {

struct Plant {
  const char* invariant;
  const char* what;
  const char* sql;
};

inline constexpr Plant kPlants[] = {
    {"I1", "a second holder",
     "DROP INDEX ledger.assignment_one_holder;"
     "INSERT INTO ledger.assignment SELECT part, ticket_id, version + 100, 'agent4', flow_id, "
     "assigned_at, NULL, NULL, 1, 3 FROM ledger.assignment WHERE released_at IS NULL LIMIT 1"},
    {"I2", "a slot over the cap",
     "ALTER TABLE ledger.assignment DROP CONSTRAINT assignment_check;"
     "UPDATE ledger.assignment SET active_after = cap_at_assign + 1"},
    {"I4", "a counter that drifted", "UPDATE ledger.agent_load SET active = active + 1"},
    {"I4", "a total that drifted",
     "UPDATE ledger.agent_load SET active = active + 1 WHERE flow_id = ''"},
    {"I4", "held tickets that no counter knows of",
     "DELETE FROM ledger.agent_load WHERE active > 0"},
    {"I5", "a held ticket without an assignment",
     "UPDATE ledger.assignment SET released_at = now(), release_type = 'returned' WHERE "
     "released_at IS NULL"},
    {"I5", "an assignment of a ticket in the queue",
     "INSERT INTO ledger.assignment SELECT part, id, 1, 'agent4', flow_id, now(), NULL, NULL, 1, "
     "3 FROM ledger.ticket WHERE state = 'QUEUED'"},
    {"I5", "another agent than the assignment's",
     "UPDATE ledger.ticket SET assignee = 'agent4' WHERE assignee IS NOT NULL"},
    {"I6", "a queued ticket nobody can explain", "DELETE FROM router.queue_entry"},
    {"I7", "a ticket that was never born",
     "UPDATE ledger.ticket_event SET type = 'commented' WHERE version = 1"},
    {"I7", "a ticket born twice",
     "UPDATE ledger.ticket_event SET type = 'created' WHERE version = 2"},
    {"I8", "a gap in the versions", "DELETE FROM ledger.ticket_event WHERE version = 2"},
    {"I8", "a first event that is missing", "DELETE FROM ledger.ticket_event WHERE version = 1"},
    {"I8", "a row ahead of its events", "UPDATE ledger.ticket SET version = version + 1"},
    {"I8", "a ticket without any event", "TRUNCATE ledger.ticket_event"},
    {"I9", "a move the machine does not know",
     "UPDATE ledger.ticket_event SET state_after = 'CLOSED' WHERE version = 2"},
    {"I9", "a row that shows another state than its last event",
     "UPDATE ledger.ticket_event e SET state_after = 'WAITING' FROM ledger.ticket t "
     "WHERE t.part = e.part AND t.id = e.ticket_id AND t.version = e.version AND t.state = "
     "'ASSIGNED'"},
    {"I10", "an event that never reached the log",
     "DELETE FROM ledger.event_log WHERE (entity, version) IN (SELECT entity, version FROM "
     "ledger.event_log LIMIT 1)"},
    {"I10", "an event announced twice",
     "INSERT INTO ledger.outbox (part, topic, entity, version, type) SELECT part, topic, entity, "
     "version, type FROM ledger.event_log LIMIT 1"},
    {"I11", "a hole in the log",
     "DELETE FROM ledger.event_log l USING (SELECT topic, part FROM ledger.event_log GROUP BY 1, 2 "
     "HAVING count(*) > 2 LIMIT 1) s WHERE l.topic = s.topic AND l.part = s.part AND l.pos = 2"},
    {"I11", "a tail cut off the log",
     "DELETE FROM ledger.event_log l USING ledger.part_head h WHERE h.topic = l.topic AND h.part = "
     "l.part AND l.pos = h.next_pos - 1 AND l.pos > 1"},
    {"I11", "versions of a ticket out of order",
     "UPDATE ledger.event_log SET version = 1000 - version"},
    {"I11", "a log that was emptied before its readers came",
     "UPDATE ledger.consumer_offset SET pos = 0; TRUNCATE ledger.event_log"},
    {"I11", "a front that was dropped before its readers came",
     "UPDATE ledger.consumer_offset SET pos = 0;"
     "DELETE FROM ledger.event_log l USING (SELECT topic, part FROM ledger.event_log GROUP BY 1, 2 "
     "HAVING count(*) > 2) s WHERE l.topic = s.topic AND l.part = s.part AND l.pos = 1"},
    {"I12", "a consumer ahead of the log", "UPDATE ledger.consumer_offset SET pos = pos + 1"},
    {"I12q", "a consumer behind", "UPDATE ledger.consumer_offset SET pos = pos - 1 WHERE pos > 0"},
    {"I12q", "an outbox that is not empty",
     "INSERT INTO ledger.outbox (part, topic, entity, version, type) VALUES (0, 1, "
     "gen_random_uuid(), 1, 'created')"},
    {"I13", "a running clock without a timer",
     "UPDATE ledger.sla_timer SET state = 'cancelled' WHERE kind = 'breach'"},
    {"I13", "a timer of another generation",
     "UPDATE ledger.sla_timer SET gen = gen + 1 WHERE kind = 'breach'"},
    {"I13", "a timer that was given up",
     "UPDATE ledger.sla_timer SET state = 'parked' WHERE kind = 'breach' AND state = 'armed'"},
    {"I14", "a timer armed while the ticket waits",
     "UPDATE ledger.sla_timer s SET state = 'armed' FROM ledger.ticket t WHERE t.part = s.part AND "
     "t.id = s.ticket_id AND t.state = 'WAITING'"},
    {"I14", "an auto-close of a ticket at work",
     "INSERT INTO ledger.sla_timer SELECT part, id, 'autoclose', 0, now(), 'armed' FROM "
     "ledger.ticket WHERE state = 'ASSIGNED'"},
    {"I15", "an overdue timer",
     "UPDATE ledger.sla_timer SET due_at = ledger.business_now() - interval '1 min' WHERE state = "
     "'armed'"},
    {"I16", "an early fire",
     "ALTER TABLE ledger.sla_fired DROP CONSTRAINT sla_fired_check;"
     "INSERT INTO ledger.sla_fired SELECT part, id, 'half', 0, now(), now() - interval '1 s', 2, 0 "
     "FROM ledger.ticket LIMIT 1"},
    {"I17", "a fire without an event",
     "INSERT INTO ledger.sla_fired SELECT part, id, 'half', 0, now(), now(), 2, 0 FROM "
     "ledger.ticket LIMIT 1"},
    {"I17", "an event without a fire",
     "INSERT INTO ledger.ticket_event SELECT part, id, 100, 'half_reminded', 'system', now(), "
     "state, '{\"timer\":\"half\"}' FROM ledger.ticket LIMIT 1"},
    {"I17", "two events for one fire",
     "INSERT INTO ledger.sla_fired SELECT part, id, 'half', 0, now(), now(), 100, 0 FROM "
     "ledger.ticket;"
     "INSERT INTO ledger.ticket_event SELECT part, id, v, 'half_reminded', 'system', now(), state, "
     "'{\"timer\":\"half\"}' FROM ledger.ticket, generate_series(100, 101) v"},
    {"I18", "a breach nobody heard of",
     "INSERT INTO ledger.sla_fired SELECT part, id, 'breach', 0, now(), now(), 2, 0 FROM "
     "ledger.ticket LIMIT 1"},
    {"I19", "a dead letter",
     "INSERT INTO ledger.dlq SELECT 'router', topic, part, pos, entity, version, type, 5, 'why', "
     "'parked' FROM ledger.event_log LIMIT 1"},
    {"I20", "two tickets of one request",
     "UPDATE ledger.ticket SET request_id = '00000000-0000-7000-8000-000000000000'"},
    {"I20", "two tickets of one number", "UPDATE ledger.ticket SET number = 'IT-000001'"},
    {"I20b", "a number that was skipped", "UPDATE ledger.flow_counter SET next = next + 1"},
    {"I20b", "numbers nobody counted", "DELETE FROM ledger.flow_counter"},
    {"I22", "a counter of the board that drifted",
     "UPDATE analytics.rollup_day SET queued = queued + 1"},
    {"I22", "a counter of the board that is missing", "TRUNCATE analytics.rollup_day"},
    {"I22q", "a stale fact", "UPDATE analytics.ticket_fact SET version = version - 1"},
    {"I22q", "a missing fact", "TRUNCATE analytics.ticket_fact"},
    {"I23", "an owner that came before its predecessor",
     "INSERT INTO ledger.lease_log VALUES ('relay:0', 1, 'a', gen_random_uuid(), now()), "
     "('relay:0', 2, 'b', gen_random_uuid(), now() - interval '1 s')"},
    {"I24", "a second rating of one closure",
     "INSERT INTO ledger.ticket_event SELECT part, ticket_id, version + 100, type, actor, at, "
     "state_after, body FROM ledger.ticket_event WHERE type = 'rated'"},
    {"I25", "a step over a line",
     "UPDATE ledger.ticket_event SET body = '{\"line\": 3}' WHERE type = 'line_changed'"},
    {"I25", "a line that does not exist",
     "UPDATE ledger.ticket_event SET body = '{\"line\": 0}' WHERE type = 'line_changed'"},
    {"I27", "a due instant the calendar does not give",
     "UPDATE ledger.ticket SET due_at = due_at + interval '1 s' WHERE running_since IS NOT NULL"},
    {"I29", "a running clock that is never due",
     "UPDATE ledger.ticket SET due_at = NULL WHERE running_since IS NOT NULL"},
    {"I29", "a clock that stands while somebody works",
     "UPDATE ledger.ticket SET running_since = NULL WHERE state = 'ASSIGNED'"},
    {"F1", "a row that is not the fold of its events", "UPDATE ledger.ticket SET hops = hops + 1"},
};

}  // namespace potok::ledger
