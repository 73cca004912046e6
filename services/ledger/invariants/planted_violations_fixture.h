// One violation of each invariant, to be planted into a desk at rest (desk_fixture.h).
#pragma once

namespace potok::ledger {

struct Plant {
  const char* invariant;
  const char* what;
  const char* sql;
  // Once it is planted: the names of what breaks the invariant. A report must show no others.
  const char* culprits;
};

namespace plants {
inline constexpr char kHeld[] =
    "SELECT id::text FROM ledger.ticket WHERE state IN ('ASSIGNED','IN_PROGRESS','WAITING')";
inline constexpr char kQueued[] = "SELECT id::text FROM ledger.ticket WHERE state = 'QUEUED'";
inline constexpr char kResolved[] = "SELECT id::text FROM ledger.ticket WHERE state = 'RESOLVED'";
inline constexpr char kRunning[] =
    "SELECT id::text FROM ledger.ticket WHERE state IN ('QUEUED','ASSIGNED','IN_PROGRESS')";
inline constexpr char kAll[] = "SELECT id::text FROM ledger.ticket";
// Has a first and a second event: every ticket but the one that is queued.
inline constexpr char kMoved[] = "SELECT id::text FROM ledger.ticket WHERE version > 1";
inline constexpr char kStreams[] = "SELECT DISTINCT topic || '/' || part FROM ledger.event_log";
inline constexpr char kOfDecisions[] = "SELECT DISTINCT flow_id FROM router.decision";
}  // namespace plants

inline constexpr Plant kPlants[] = {
    {"I1", "a second holder",
     "DROP INDEX ledger.assignment_one_holder;"
     "INSERT INTO ledger.assignment SELECT part, ticket_id, version + 100, 'agent4', flow_id, "
     "assigned_at, NULL, NULL, 1, 3 FROM ledger.assignment WHERE released_at IS NULL LIMIT 1",
     "SELECT ticket_id::text FROM ledger.assignment WHERE version > 100"},
    {"I2", "a slot over the cap",
     "ALTER TABLE ledger.assignment DROP CONSTRAINT assignment_check;"
     "UPDATE ledger.assignment SET active_after = cap_at_assign + 1",
     "SELECT ticket_id::text FROM ledger.assignment"},
    {"I3", "four at once where the cap is three, given back long ago",
     "INSERT INTO ledger.assignment SELECT t.part, t.id, v, 'agent4', 'it', now(), now(), "
     "'returned', 1, 3 FROM (SELECT * FROM ledger.ticket WHERE state = 'CANCELLED') t, "
     "generate_series(101, 104) v;"
     "UPDATE ledger.assignment SET released_no = nextval('ledger.slot_order') WHERE agent_id = "
     "'agent4'",
     "SELECT ticket_id::text FROM ledger.assignment WHERE agent_id = 'agent4'"},
    {"I3", "a cap that was lower then", "UPDATE ledger.cap_log SET cap = 0 WHERE flow_id = 'it'",
     "SELECT ticket_id::text FROM ledger.assignment"},
    {"I3", "a total over all flows that was lower then",
     "UPDATE ledger.cap_log SET cap = 0 WHERE flow_id = ''",
     "SELECT ticket_id::text FROM ledger.assignment WHERE agent_id = 'agent0'"},
    {"I3", "a cap nobody remembers", "DELETE FROM ledger.cap_log WHERE flow_id = 'it'",
     "SELECT ticket_id::text FROM ledger.assignment"},
    {"I4", "a counter that drifted",
     "UPDATE ledger.agent_load SET active = active + 1 WHERE agent_id = 'agent1'",
     "VALUES ('agent1')"},
    {"I4", "a total that drifted",
     "UPDATE ledger.agent_load SET active = active + 1 WHERE flow_id = ''", "VALUES ('agent0')"},
    {"I4", "held tickets that no counter knows of",
     "DELETE FROM ledger.agent_load WHERE active > 0",
     "SELECT agent_id FROM ledger.assignment WHERE released_at IS NULL"},
    {"I5", "a held ticket without an assignment",
     "UPDATE ledger.assignment SET released_at = now(), release_type = 'returned' WHERE "
     "released_at IS NULL",
     plants::kHeld},
    {"I5", "an assignment of a ticket in the queue",
     "INSERT INTO ledger.assignment SELECT part, id, 1, 'agent4', flow_id, now(), NULL, NULL, 1, "
     "3 FROM ledger.ticket WHERE state = 'QUEUED'",
     plants::kQueued},
    {"I5", "another agent than the assignment's",
     "UPDATE ledger.ticket SET assignee = 'agent4' WHERE assignee IS NOT NULL", plants::kHeld},
    {"I6", "a queued ticket nobody can explain", "DELETE FROM router.queue_entry", plants::kQueued},
    {"I6", "a reason of another mode", "UPDATE router.queue_entry SET reason = 'SELF_PICK'",
     plants::kQueued},
    {"I6", "a queue beside an idle agent",
     "INSERT INTO intake.employee (id, name, updated_at) VALUES ('agent4', 'Agent', now());"
     "INSERT INTO router.member (flow_id, employee) VALUES ('it', 'agent4');"
     "INSERT INTO router.presence VALUES ('agent4', 'online', NULL, now(), 'test')",
     plants::kQueued},
    {"I6", "a reason of a ticket that left the queue",
     "INSERT INTO router.queue_entry SELECT part, id, flow_id, 'ALL_AT_CAP', now() FROM "
     "ledger.ticket WHERE state = 'RESOLVED'",
     plants::kResolved},
    {"I7", "a ticket that was never born",
     "UPDATE ledger.ticket_event SET type = 'commented' WHERE version = 1", plants::kAll},
    {"I7", "a ticket born twice",
     "UPDATE ledger.ticket_event SET type = 'created' WHERE version = 2", plants::kMoved},
    {"I7", "an event of no ticket",
     "INSERT INTO ledger.ticket_event SELECT part, gen_random_uuid(), 1, type, 'lost', at, "
     "state_after, body FROM ledger.ticket_event LIMIT 1",
     "SELECT ticket_id::text FROM ledger.ticket_event WHERE actor = 'lost'"},
    {"I8", "a gap in the versions", "DELETE FROM ledger.ticket_event WHERE version = 2",
     plants::kMoved},
    {"I8", "a first event that is missing", "DELETE FROM ledger.ticket_event WHERE version = 1",
     plants::kAll},
    {"I8", "a row ahead of its events", "UPDATE ledger.ticket SET version = version + 1",
     plants::kAll},
    {"I8", "a ticket without any event", "TRUNCATE ledger.ticket_event", plants::kAll},
    {"I9", "a move the machine does not know",
     "UPDATE ledger.ticket_event SET state_after = 'CLOSED' WHERE version = 2", plants::kMoved},
    {"I9", "a row that shows another state than its last event",
     "UPDATE ledger.ticket_event e SET state_after = 'WAITING' FROM ledger.ticket t "
     "WHERE t.part = e.part AND t.id = e.ticket_id AND t.version = e.version AND t.state = "
     "'RESOLVED'",
     plants::kResolved},
    {"I9", "a move that another event makes",
     "UPDATE ledger.ticket_event SET type = 'transferred' WHERE type = 'started'",
     "SELECT ticket_id::text FROM ledger.ticket_event WHERE type = 'transferred'"},
    {"I10", "an event that never reached the log",
     "UPDATE ledger.ticket SET title = 'lost' WHERE state = 'WAITING';"
     "DELETE FROM ledger.event_log WHERE entity IN (SELECT id FROM ledger.ticket WHERE title = "
     "'lost') AND version = 2",
     "SELECT id::text FROM ledger.ticket WHERE title = 'lost'"},
    {"I10", "an event announced twice",
     "INSERT INTO ledger.outbox (part, topic, entity, version, type) SELECT part, topic, entity, "
     "version, type FROM ledger.event_log LIMIT 1",
     "SELECT entity::text FROM ledger.outbox"},
    {"I10", "an announcement of what never happened",
     "INSERT INTO ledger.outbox (part, topic, entity, version, type) VALUES (0, 1, "
     "gen_random_uuid(), 1, 'created')",
     "SELECT entity::text FROM ledger.outbox"},
    {"I11", "a hole in the log",
     "DELETE FROM ledger.event_log l USING (SELECT topic, part FROM ledger.event_log GROUP BY 1, 2 "
     "HAVING count(*) > 2 LIMIT 1) s WHERE l.topic = s.topic AND l.part = s.part AND l.pos = 2",
     plants::kStreams},
    {"I11", "a tail cut off the log",
     "DELETE FROM ledger.event_log l USING ledger.part_head h WHERE h.topic = l.topic AND h.part = "
     "l.part AND l.pos = h.next_pos - 1 AND l.pos > 1",
     plants::kStreams},
    {"I11", "versions of a ticket out of order",
     "UPDATE ledger.event_log SET version = 1000 - version", plants::kMoved},
    {"I11", "a log that was emptied before its readers came",
     "UPDATE ledger.consumer_offset SET pos = 0; TRUNCATE ledger.event_log",
     "SELECT topic || '/' || part FROM ledger.part_head WHERE next_pos > 1"},
    {"I11", "a front that was dropped before its readers came",
     "UPDATE ledger.consumer_offset SET pos = 0;"
     "DELETE FROM ledger.event_log l USING (SELECT topic, part FROM ledger.event_log GROUP BY 1, 2 "
     "HAVING count(*) > 2) s WHERE l.topic = s.topic AND l.part = s.part AND l.pos = 1",
     plants::kStreams},
    {"I12", "a consumer ahead of the log",
     "UPDATE ledger.consumer_offset SET pos = pos + 1 WHERE grp = 'sla'", "VALUES ('sla ')"},
    {"I12q", "a consumer behind",
     "UPDATE ledger.consumer_offset SET pos = pos - 1 WHERE pos > 0 AND grp = 'notifier'",
     "VALUES ('notifier ')"},
    {"I12q", "an outbox that is not empty",
     "INSERT INTO ledger.outbox (part, topic, entity, version, type) VALUES (0, 1, "
     "gen_random_uuid(), 1, 'created')",
     "SELECT entity::text FROM ledger.outbox"},
    {"I13", "a running clock without a timer",
     "UPDATE ledger.sla_timer SET state = 'cancelled' WHERE kind = 'breach'", plants::kRunning},
    {"I13", "a timer of another generation",
     "UPDATE ledger.sla_timer SET gen = gen + 1 WHERE kind = 'breach'", plants::kRunning},
    {"I13", "a timer of another instant",
     "UPDATE ledger.sla_timer SET due_at = due_at + interval '1 s' WHERE kind = 'breach'",
     plants::kRunning},
    {"I13", "a timer that was given up",
     "UPDATE ledger.sla_timer SET state = 'parked' WHERE kind = 'breach' AND state = 'armed'",
     plants::kRunning},
    {"I13", "a first answer nobody waits for",
     "DELETE FROM ledger.sla_timer WHERE kind = 'first_response'",
     "SELECT id::text FROM ledger.ticket WHERE first_response_at IS NULL"},
    {"I13", "a result that never closes by itself",
     "UPDATE ledger.sla_timer SET state = 'cancelled' WHERE kind = 'autoclose'", plants::kResolved},
    {"I14", "a timer armed while the ticket waits",
     "UPDATE ledger.sla_timer s SET state = 'armed' FROM ledger.ticket t WHERE t.part = s.part AND "
     "t.id = s.ticket_id AND t.state = 'WAITING'",
     "SELECT id::text FROM ledger.ticket WHERE state = 'WAITING'"},
    {"I14", "an auto-close of a ticket at work",
     "INSERT INTO ledger.sla_timer SELECT part, id, 'autoclose', 0, now(), 'armed' FROM "
     "ledger.ticket WHERE state = 'ASSIGNED'",
     "SELECT id::text FROM ledger.ticket WHERE state = 'ASSIGNED'"},
    {"I15", "an overdue timer",
     "UPDATE ledger.sla_timer SET due_at = ledger.business_now() - interval '1 min' WHERE state = "
     "'armed'",
     "SELECT ticket_id::text FROM ledger.sla_timer WHERE state = 'armed'"},
    {"I16", "an early fire",
     "ALTER TABLE ledger.sla_fired DROP CONSTRAINT sla_fired_check;"
     "INSERT INTO ledger.sla_fired SELECT part, id, 'half', 1, now(), now() - interval '1 s', 2, 0 "
     "FROM ledger.ticket LIMIT 1",
     "SELECT ticket_id::text FROM ledger.sla_fired"},
    {"I16", "an event before its fire was due",
     "INSERT INTO ledger.sla_fired SELECT part, ticket_id, 'half', 2, at + interval '1 s', at + "
     "interval '2 s', version, 0 FROM ledger.ticket_event LIMIT 1",
     "SELECT ticket_id::text FROM ledger.sla_fired"},
    {"I17", "a fire without an event",
     "INSERT INTO ledger.sla_fired SELECT part, id, 'half', 0, now(), now(), 2, 0 FROM "
     "ledger.ticket LIMIT 1",
     "SELECT ticket_id::text FROM ledger.sla_fired"},
    {"I17", "an event without a fire",
     "INSERT INTO ledger.ticket_event SELECT part, id, 100, 'half_reminded', 'system', now(), "
     "state, '{\"timer\":\"half\"}' FROM ledger.ticket LIMIT 1",
     "SELECT ticket_id::text FROM ledger.ticket_event WHERE version = 100"},
    {"I17", "two events for one fire",
     "INSERT INTO ledger.sla_fired SELECT part, id, 'half', 0, now(), now(), 100, 0 FROM "
     "ledger.ticket;"
     "INSERT INTO ledger.ticket_event SELECT part, id, v, 'half_reminded', 'system', now(), state, "
     "'{\"timer\":\"half\"}' FROM ledger.ticket, generate_series(100, 101) v",
     plants::kAll},
    {"I17", "a fire that names another version",
     "INSERT INTO ledger.sla_fired SELECT part, id, 'half', 0, now(), now(), 99, 0 FROM "
     "ledger.ticket LIMIT 1;"
     "INSERT INTO ledger.ticket_event SELECT part, ticket_id, 100, 'half_reminded', 'system', "
     "now(), 'QUEUED', '{\"timer\":\"half\"}' FROM ledger.sla_fired",
     "SELECT ticket_id::text FROM ledger.sla_fired"},
    {"I18", "a breach nobody heard of",
     "INSERT INTO ledger.sla_fired SELECT part, id, 'breach', 0, now(), now(), 2, 0 FROM "
     "ledger.ticket LIMIT 1",
     "SELECT ticket_id::text FROM ledger.sla_fired"},
    {"I19", "a dead letter",
     "INSERT INTO ledger.dlq SELECT 'router', topic, part, pos, entity, version, type, 5, 'why', "
     "'parked' FROM ledger.event_log LIMIT 1",
     "SELECT entity::text FROM ledger.dlq"},
    {"I19", "a timer that was given up",
     "UPDATE ledger.sla_timer SET state = 'parked' WHERE kind = 'half' AND state = 'armed'",
     "SELECT ticket_id::text FROM ledger.sla_timer WHERE state = 'parked'"},
    {"I19", "a notice that is stuck",
     "INSERT INTO notifier.delivery (part, id, ticket_id, version, flow_id, rule, kind, role, "
     "recipient, channel, locale, facts, planned_at, state, next_at, caused_at) SELECT part, "
     "gen_random_uuid(), id, 1, flow_id, 'r', 'k', 'requester', 'petrov', 'email', 'ru', '{}', "
     "now(), 'pending', now() - interval '2 min', now() FROM ledger.ticket LIMIT 1",
     "SELECT id::text FROM notifier.delivery"},
    {"I20", "two tickets of one request",
     "UPDATE ledger.ticket SET request_id = '00000000-0000-7000-8000-000000000000'",
     "VALUES ('users/petrov: 00000000-0000-7000-8000-000000000000')"},
    {"I20", "two tickets of one number", "UPDATE ledger.ticket SET number = 'IT-000001'",
     "VALUES ('IT-000001')"},
    {"I20b", "a number that was skipped", "UPDATE ledger.flow_counter SET next = next + 1",
     "VALUES ('it')"},
    {"I20b", "numbers nobody counted", "DELETE FROM ledger.flow_counter", "VALUES ('it')"},
    {"I21", "two who were told that the same change is theirs",
     "INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version) "
     "SELECT part, 'users/rival', request_id, method, body_hash, ticket_id, version FROM "
     "ledger.idem WHERE version > 1 LIMIT 1",
     "SELECT ticket_id::text FROM ledger.idem WHERE caller = 'users/rival'"},
    {"I21", "an answer with somebody else's event",
     "UPDATE ledger.idem SET caller = 'users/rival' WHERE version = 2",
     "SELECT ticket_id::text FROM ledger.idem WHERE version = 2"},
    {"I21", "an answer with an event that is not there",
     "UPDATE ledger.idem SET version = 1000 WHERE version = 3",
     "SELECT ticket_id::text FROM ledger.idem WHERE version = 1000"},
    {"I22", "a counter of the board that drifted",
     "UPDATE analytics.rollup_day SET queued = queued + 1", "VALUES ('it ')"},
    {"I22", "a counter of the board that is missing", "TRUNCATE analytics.rollup_day",
     "VALUES ('it ')"},
    {"I22b", "a total of the board that drifted",
     "UPDATE analytics.rollup_total SET queued = queued + 1", "VALUES ('it ')"},
    {"I22b", "a total of the board that is missing", "TRUNCATE analytics.rollup_total",
     "VALUES ('it ')"},
    {"I22q", "a stale fact", "UPDATE analytics.ticket_fact SET version = version - 1",
     plants::kAll},
    {"I22q", "a missing fact", "TRUNCATE analytics.ticket_fact", plants::kAll},
    {"I23", "an owner that came before its predecessor",
     "INSERT INTO ledger.lease_log VALUES ('desk:0', 1, 'a', gen_random_uuid(), now()), "
     "('desk:0', 2, 'b', gen_random_uuid(), now() - interval '1 s')",
     "VALUES ('desk:0')"},
    {"I23", "an owner that came before the lease had ended",
     "INSERT INTO ledger.lease_log VALUES ('desk:1', 1, 'a', gen_random_uuid(), now() - interval "
     "'9 s', now() - interval '1 s'), ('desk:1', 2, 'b', gen_random_uuid(), now() - interval '2 "
     "s', NULL)",
     "VALUES ('desk:1')"},
    {"I23", "an owner the history does not know",
     "INSERT INTO ledger.lease VALUES ('desk:2', 'c', 7, gen_random_uuid(), now(), now())",
     "VALUES ('desk:2')"},
    {"I24", "a second rating of one closure",
     "INSERT INTO ledger.ticket_event SELECT part, ticket_id, version + 100, type, actor, at, "
     "state_after, body FROM ledger.ticket_event WHERE type = 'rated'",
     "SELECT ticket_id::text FROM ledger.ticket_event WHERE type = 'rated'"},
    {"I25", "a step over a line",
     "UPDATE ledger.ticket_event SET body = '{\"line\": 3}' WHERE type = 'line_changed'",
     "SELECT ticket_id::text FROM ledger.ticket_event WHERE type = 'line_changed'"},
    {"I25", "a line that does not exist",
     "UPDATE ledger.ticket_event SET body = '{\"line\": 0}' WHERE type = 'line_changed'",
     "SELECT ticket_id::text FROM ledger.ticket_event WHERE type = 'line_changed'"},
    {"I25", "a ticket that changed its line without an event",
     "UPDATE ledger.ticket SET line = 2 WHERE state = 'QUEUED'", plants::kQueued},
    {"I26", "somebody who got two more than another who was there",
     "INSERT INTO router.decision SELECT 0, gen_random_uuid(), 2, 'it', 1, a, now(), "
     "'{\"chosen_by\": \"turn\", \"ticket\": {}, \"candidates\": [{\"employee\": \"agent1\", "
     "\"verdict\": \"CHOSEN\"}, {\"employee\": \"agent2\", \"verdict\": \"NOT_CHOSEN\"}, "
     "{\"employee\": \"agent3\", \"verdict\": \"AT_CAP\"}]}' "
     "FROM unnest(ARRAY['agent1','agent2','agent1','agent1']) a",
     plants::kOfDecisions},
    {"I26", "somebody who was there and never got a turn",
     "INSERT INTO router.decision SELECT 0, gen_random_uuid(), 2, 'it', 1, a, now(), "
     "'{\"chosen_by\": \"turn\", \"ticket\": {\"line\": 2}, \"candidates\": {\"employee\": "
     "[\"agent1\", \"agent2\"], \"verdict\": [\"CHOSEN\", \"NOT_CHOSEN\"]}}' "
     "FROM unnest(ARRAY['agent1','agent1']) a",
     plants::kOfDecisions},
    {"I27", "a due instant the calendar does not give",
     "UPDATE ledger.ticket SET due_at = due_at + interval '1 s' WHERE running_since IS NOT NULL",
     plants::kRunning},
    {"I28", "answers kept too long", "UPDATE ledger.idem SET at = at - interval '9 days'",
     "SELECT ticket_id::text FROM ledger.idem"},
    {"I28", "answers of definitions kept too long",
     "INSERT INTO intake.reference_idem VALUES ('users/boss', 'CreateFlow', gen_random_uuid(), "
     "'h', '', now() - interval '9 days')",
     "SELECT request_id::text FROM intake.reference_idem"},
    {"I28", "entries kept too long", "UPDATE ledger.event_log SET at = at - interval '16 days'",
     plants::kStreams},
    {"I28", "an answer dropped too early", "DELETE FROM ledger.idem WHERE version = 1",
     plants::kAll},
    {"I29", "a running clock that is never due",
     "UPDATE ledger.ticket SET due_at = NULL WHERE running_since IS NOT NULL", plants::kRunning},
    {"I29", "a clock that stands while somebody works",
     "UPDATE ledger.ticket SET running_since = NULL WHERE state = 'ASSIGNED'",
     "SELECT id::text FROM ledger.ticket WHERE state = 'ASSIGNED'"},
    {"F1", "a row that is not the fold of its events", "UPDATE ledger.ticket SET hops = hops + 1",
     plants::kAll},
};

}  // namespace potok::ledger
