// A desk on a real Postgres with a ticket in each state, for tests that break it or try to.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "ledger/definition_codec.h"
#include "ledger/ledger.h"
#include "ledger/reference_write.h"
#include "platform/clock/clock.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::ledger {

class DeskFixture : public ::testing::Test {
 protected:
  DeskFixture() {
    // Business time of the database stands where the test's own clock begins.
    Sql(absl::StrCat("INSERT INTO ledger.clock_origin VALUES (true, clock_timestamp(), '",
                     pg::ToTimestamp(clock_.Now()), "', 1e-6)"));
    Sql(absl::StrCat("INSERT INTO sla_timer.calendar_version VALUES ('ru', 1, ",
                     Quoted(ToJson(desk::RussianProductionCalendar("ru", "Europe/Moscow"))),
                     ", 'test', now())"));
    policy_.id = "standard";
    policy_.calendar_id = "ru";
    policy_.fallback.resolution = desk::Target{desk::Target::kWorkingDays, 2};
    policy_.fallback.first_response = desk::Target{desk::Target::kWorkingHours, 2};
    policy_.steps = {{1, absl::Hours(1), desk::EscalationStep::kTellManager},
                     {2, absl::Hours(2), desk::EscalationStep::kNextLine}};
    WritePolicy();
    desk::Flow flow;
    flow.id = "it";
    flow.prefix = "IT";
    flow.name_ru = "Техподдержка";
    flow.sla_policy = "standard";
    flow.lines = 3;
    Sql(absl::StrCat("INSERT INTO intake.flow_version VALUES ('it', 1, ", Quoted(ToJson(flow)),
                     ", 'test', now())"));
    Sql("INSERT INTO intake.flow VALUES ('it', 1, 'IT', now())");
    for (int i = 0; i < kAgents; ++i) {
      Sql(absl::StrCat("INSERT INTO ledger.agent_load VALUES ('agent", i, "', 'it', 0, 3)"));
    }
    // One of them has a total over all flows as well.
    Sql("INSERT INTO ledger.agent_load VALUES ('agent0', '', 0, 2)");
    reference_ = *Reference::Start(database_.pool());
    ledger_ =
        std::make_unique<Ledger>(database_.pool(), *reference_, clock_, LedgerOptions{}, [] {});
  }

  static std::string Quoted(const std::string& text) { return "$q$" + text + "$q$"; }
  std::string Sql(const std::string& text) { return database_.Query(text); }

  void WritePolicy() {
    Sql(absl::StrCat("INSERT INTO sla_timer.policy_version VALUES ('standard', ", policy_.version,
                     ", ", Quoted(ToJson(policy_)), ", 'test', now())"));
  }
  void RepublishPolicy() {
    ++policy_.version;
    WritePolicy();
    ASSERT_THAT(pg::InTransaction(database_.pool(), {},
                                  [](pg::Tx& tx) {
                                    BumpEpoch(tx, "sla_policy");
                                    return absl::OkStatus();
                                  }),
                ::potok::testing::IsOk());
    ASSERT_THAT(reference_->Refresh(), ::potok::testing::IsOk());
  }

  static std::string Uuid() {
    static std::atomic<uint64_t> next{1};
    return desk::MakeTicketId(absl::FromUnixSeconds(1), 0, next++);
  }
  static desk::Viewer Person(const std::string& employee) {
    desk::Viewer viewer;
    viewer.principal = "users/" + employee;
    viewer.employee = employee;
    return viewer;
  }
  static desk::Viewer Boss() {
    desk::Viewer viewer = Person("boss");
    viewer.flows_administered = {"it"};
    return viewer;
  }

  absl::StatusOr<Outcome> Do(Ledger& ledger, const std::string& ticket, const desk::Viewer& viewer,
                             desk::Action action) {
    desk::Command command;
    command.ticket_id = ticket;
    command.viewer = viewer;
    command.method = "Test";
    command.request_id = Uuid();
    command.action = std::move(action);
    return ledger.Execute(std::move(command),
                          std::chrono::steady_clock::now() + std::chrono::seconds(60));
  }
  void Must(const std::string& ticket, const desk::Viewer& viewer, desk::Action action) {
    ASSERT_THAT(Do(*ledger_, ticket, viewer, std::move(action)), ::potok::testing::IsOk());
  }
  std::string File(Ledger& ledger) {
    desk::CreateTicket create;
    const std::string request_id = Uuid();
    create.draft.part = desk::PartOf("users/petrov", request_id);
    create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, std::random_device()());
    create.draft.flow_id = "it";
    create.draft.caller = "users/petrov";
    create.draft.request_id = request_id;
    create.draft.requester = "petrov";
    create.draft.title = "Принтер не печатает";
    desk::Command command;
    command.viewer = Person("petrov");
    command.method = "CreateTicket";
    command.request_id = request_id;
    command.action = create;
    const auto filed = ledger.Execute(std::move(command),
                                      std::chrono::steady_clock::now() + std::chrono::seconds(60));
    EXPECT_THAT(filed, ::potok::testing::IsOk());
    return filed->ticket.id;
  }

  // A ticket in each state, one of them moved to the second line, one rated.
  void FillTheDesk() {
    const desk::Viewer petrov = Person("petrov");
    const auto held = [&](const std::string& agent) {
      const std::string id = File(*ledger_);
      Must(id, Boss(), desk::AssignTicket{agent, "manual"});
      Must(id, Boss(), desk::StartTicket{});
      return id;
    };
    File(*ledger_);
    const std::string on_second_line = held("agent1");
    Must(on_second_line, Boss(), desk::ChangeLine{2, ""});
    Must(on_second_line, Boss(), desk::AssignTicket{"agent2", "manual"});
    const std::string waiting = held("agent3");
    Must(waiting, Boss(), desk::WaitTicket{"?"});
    const std::string resolved = held("agent0");
    Must(resolved, Boss(), desk::ResolveTicket{"!"});
    const std::string closed = held("agent1");
    Must(closed, Boss(), desk::ResolveTicket{"!"});
    Must(closed, petrov, desk::ConfirmTicket{});
    Must(closed, petrov, desk::RateTicket{5, ""});
    Must(File(*ledger_), petrov, desk::CancelTicket{""});
  }

  // What relay, consumers, analytics and router would have done by now.
  void Quiesce() {
    Sql("WITH gone AS (DELETE FROM ledger.outbox RETURNING *) "
        "INSERT INTO ledger.event_log (topic, part, pos, entity, version, type) "
        "SELECT g.topic, g.part, h.next_pos - 1 + row_number() OVER (PARTITION BY g.topic, g.part "
        "ORDER BY g.id), g.entity, g.version, g.type "
        "FROM gone g JOIN ledger.part_head h USING (topic, part);"
        "UPDATE ledger.part_head h SET next_pos = 1 + coalesce((SELECT max(pos) FROM "
        "ledger.event_log l WHERE l.topic = h.topic AND l.part = h.part), 0);"
        "UPDATE ledger.consumer_offset o SET pos = h.next_pos - 1 FROM ledger.part_head h "
        "WHERE h.topic = o.topic AND h.part = o.part;"
        "INSERT INTO analytics.ticket_fact SELECT (analytics.fact_of(t)).* FROM ledger.ticket t;"
        "INSERT INTO analytics.rollup_day SELECT * FROM analytics.rollup_recomputed;"
        "INSERT INTO router.queue_entry SELECT part, id, flow_id, 'NO_MEMBERS', now() "
        "FROM ledger.ticket WHERE state = 'QUEUED'");
  }

  // Every ticket of the desk `times` more, with all that belongs to it.
  void Multiply(int times) {
    const std::string copies = absl::StrCat("generate_series(1, ", times, ") AS n");
    // The first eight digits are the copy's number: ids and request ids stay apart.
    const auto fresh = [](const char* column) {
      return absl::StrCat("(lpad(to_hex(n + 256), 8, '0') || substr(", column, "::text, 9))::uuid");
    };
    const auto columns = [this](const char* table, const char* without) {
      return Sql(
          absl::StrCat("SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute "
                       "WHERE attrelid = '",
                       table,
                       "'::regclass AND attnum > 0 AND NOT attisdropped AND attname "
                       "<> ALL (ARRAY[",
                       without, "])"));
    };
    const auto copy = [&](const char* table, const std::string& changed, const char* quoted,
                          const std::string& values) {
      const std::string same = columns(table, quoted);
      Sql(absl::StrCat("INSERT INTO ", table, " (", changed, ", ", same, ") SELECT ", values, ", ",
                       same, " FROM (SELECT * FROM ", table, ") old, ", copies));
    };
    Sql("UPDATE ledger.agent_load SET cap = 1000000");
    Sql(absl::StrCat("UPDATE ledger.agent_load SET active = active * ", times + 1));
    Sql(absl::StrCat("UPDATE ledger.flow_counter SET next = (next - 1) * ", times + 1, " + 1"));
    copy("ledger.ticket", "id, request_id, number", "'id','request_id','number'",
         absl::StrCat(fresh("id"), ", ", fresh("request_id"), ", number || '-' || n"));
    copy("ledger.ticket_event", "ticket_id", "'ticket_id'", fresh("ticket_id"));
    copy("ledger.event_text", "ticket_id", "'ticket_id'", fresh("ticket_id"));
    copy("ledger.sla_timer", "ticket_id", "'ticket_id'", fresh("ticket_id"));
    copy("ledger.outbox", "entity", "'entity','id'", fresh("entity"));
    copy("ledger.idem", "ticket_id, request_id", "'ticket_id','request_id'",
         absl::StrCat(fresh("ticket_id"), ", ", fresh("request_id")));
    copy("ledger.assignment", "ticket_id, taken_no, released_no",
         "'ticket_id','taken_no','released_no'",
         absl::StrCat(fresh("ticket_id"),
                      ", nextval('ledger.slot_order'), CASE WHEN released_at IS NOT NULL THEN "
                      "nextval('ledger.slot_order') END"));
    Sql("ANALYZE");
  }

  static constexpr int kAgents = 5;

  testing::TestDatabase database_;
  FakeClock clock_{absl::FromUnixSeconds(1794819600)};  // 2026-11-16 09:00 UTC, a Monday.
  desk::SlaPolicy policy_;
  std::unique_ptr<Reference> reference_;
  std::unique_ptr<Ledger> ledger_;
};

}  // namespace potok::ledger
