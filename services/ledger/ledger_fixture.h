// A ledger with one flow and ten agents, and the commands that tests give it.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "base/entropy.h"
#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "ledger/definition_codec.h"
#include "ledger/ledger.h"
#include "platform/clock/clock.h"
#include "platform/testing/stack.h"

namespace potok::ledger {

using desk::Command;

inline std::string Uuid() {
  static std::atomic<uint64_t> next{1};
  return desk::MakeTicketId(absl::FromUnixSeconds(1), 0, next++);
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    desk::SlaPolicy policy;
    policy.id = "standard";
    policy.calendar_id = "ru";
    policy.fallback.resolution = desk::Target{desk::Target::kWorkingDays, 2};
    desk::Flow flow;
    flow.id = "it";
    flow.prefix = "IT";
    flow.name_ru = "Техподдержка";
    flow.sla_policy = "standard";
    const auto quote = [](const std::string& text) { return "$q$" + text + "$q$"; };
    database_.Query("INSERT INTO sla_timer.calendar_version VALUES ('ru', 1, " +
                    quote(ToJson(desk::RussianProductionCalendar("ru", "Europe/Moscow"))) +
                    ", 'test', now())");
    database_.Query("INSERT INTO sla_timer.policy_version VALUES ('standard', 1, " +
                    quote(ToJson(policy)) + ", 'test', now())");
    database_.Query("INSERT INTO intake.flow_version VALUES ('it', 1, " + quote(ToJson(flow)) +
                    ", 'test', now())");
    database_.Query("INSERT INTO intake.flow VALUES ('it', 1, 'IT', now())");
    for (int i = 0; i < 10; ++i) {
      database_.Query(
          absl::StrCat("INSERT INTO ledger.agent_load VALUES ('agent", i, "', 'it', 0, 3)"));
    }
    reference_ = *Reference::Start(database_.pool());
    ledger_ = std::make_unique<Ledger>(database_.pool(), *reference_, clock_, LedgerOptions{},
                                       [this] { ++commits_; });
  }

  static desk::Viewer Viewer(const std::string& employee) {
    desk::Viewer viewer;
    viewer.principal = "users/" + employee;
    viewer.employee = employee;
    return viewer;
  }
  static desk::Viewer Agent(const std::string& employee) {
    desk::Viewer viewer = Viewer(employee);
    viewer.flows_served = {"it"};
    return viewer;
  }
  Command Filing(const std::string& request_id, const std::string& title = "Принтер не печатает") {
    Command command;
    command.viewer = Viewer("petrov");
    command.method = "CreateTicket";
    command.request_id = request_id;
    command.body_hash = title;
    desk::CreateTicket create;
    create.draft.part = desk::PartOf(command.viewer.principal, request_id);
    create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, KernelEntropy());
    create.draft.flow_id = "it";
    create.draft.caller = command.viewer.principal;
    create.draft.request_id = request_id;
    create.draft.requester = "petrov";
    create.draft.title = title;
    command.action = create;
    return command;
  }
  Command On(const std::string& ticket, desk::Viewer viewer, desk::Action action) {
    Command command;
    command.ticket_id = ticket;
    command.viewer = std::move(viewer);
    command.method = "Test";
    command.request_id = Uuid();
    command.action = std::move(action);
    return command;
  }
  absl::StatusOr<Outcome> Do(Command command) {
    return ledger_->Execute(std::move(command),
                            std::chrono::steady_clock::now() + std::chrono::seconds(20));
  }
  std::string File() { return Do(Filing(Uuid()))->ticket.id; }
  std::string Count(const std::string& table) {
    return database_.Query("SELECT count(*) FROM ledger." + table);
  }

  testing::TestDatabase database_;
  FakeClock clock_{absl::FromUnixSeconds(1794819600)};  // 2026-11-16 09:00 UTC, a Monday.
  std::unique_ptr<Reference> reference_;
  std::atomic<int> commits_{0};
  std::unique_ptr<Ledger> ledger_;
};

}  // namespace potok::ledger
