// A small company, its ledger on a clock that the test moves, and the planner of the notifier,
// without any process.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "desk/ticket/ids.h"
#include "integration/company.h"
#include "ledger/history.h"
#include "ledger/ledger.h"
#include "notifier/work/delivery_meters.h"
#include "notifier/work/planner.h"
#include "platform/clock/clock.h"
#include "platform/obs/metrics.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::notifier {

class NotifierFixture : public ::testing::Test {
 protected:
  NotifierFixture() {
    testing::FoundCompany(database_);
    reference_ = *ledger::Reference::Start(database_.pool());
    ledger_ = std::make_unique<ledger::Ledger>(database_.pool(), *reference_, clock_,
                                               ledger::LedgerOptions{}, [] {});
    planner_ = MakePlanner(/*mail_leaves=*/true);
  }

  std::unique_ptr<Planner> MakePlanner(bool mail_leaves) {
    PlannerOptions options;
    options.mail_domain = "example.org";
    options.mail_leaves = mail_leaves;
    return std::make_unique<Planner>(options, texts_, *reference_, clock_, meters_);
  }

  // Changes reference data as another service would, and lets everybody know.
  void Change(const std::string& kind, const std::string& sql) {
    database_.Query(sql);
    database_.Query("UPDATE ledger.reference_epoch SET epoch = epoch + 1 WHERE kind = '" + kind +
                    "'");
    EXPECT_THAT(reference_->Refresh(), testing::IsOk());
  }

  // Who may do anything in the test flows.
  static desk::Viewer Viewer(const std::string& employee) {
    desk::Viewer viewer;
    viewer.principal = "users/" + employee;
    viewer.employee = employee;
    viewer.flows_served = {"it-support", "hr-certificates", "quick"};
    return viewer;
  }

  std::string Uuid() { return desk::MakeTicketId(absl::FromUnixSeconds(1), 0, random_()); }

  std::string File(const std::string& requester, const std::string& title = "Принтер не печатает",
                   const std::string& flow = "it-support") {
    desk::Command command;
    command.viewer = Viewer(requester);
    command.method = "CreateTicket";
    command.request_id = Uuid();
    command.body_hash = title;
    desk::CreateTicket create;
    create.draft.part = desk::PartOf(command.viewer.principal, command.request_id);
    create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, random_());
    create.draft.flow_id = flow;
    create.draft.caller = command.viewer.principal;
    create.draft.request_id = command.request_id;
    create.draft.requester = requester;
    create.draft.title = title;
    command.action = create;
    const auto filed = Execute(std::move(command));
    EXPECT_THAT(filed, testing::IsOk());
    return filed->ticket.id;
  }

  void Do(const std::string& ticket, const desk::Viewer& viewer, desk::Action action) {
    desk::Command command;
    command.ticket_id = ticket;
    command.viewer = viewer;
    command.method = "Test";
    command.request_id = Uuid();
    command.action = std::move(action);
    EXPECT_THAT(Execute(std::move(command)), testing::IsOk());
  }
  void Do(const std::string& ticket, const std::string& who, desk::Action action) {
    Do(ticket, Viewer(who), std::move(action));
  }
  void Assign(const std::string& ticket, const std::string& agent) {
    Do(ticket, desk::SystemViewer(), desk::AssignTicket{agent, "round_robin"});
  }

  // Lets the ticket's promise run out.
  void Breach(const std::string& ticket) {
    const desk::Ticket now = Now(ticket);
    clock_.SetTime(*now.sla.due_at);
    Do(ticket, desk::SystemViewer(), desk::FireTimer{desk::TimerKind::kBreach, now.sla.gen});
  }

  desk::Ticket Now(const std::string& ticket) {
    return *pg::InTransaction(database_.pool(), {},
                              [&](pg::Tx& tx) -> absl::StatusOr<desk::Ticket> {
                                return *ledger::FindTicket(tx, ticket);
                              });
  }

  // What the log would bring: an entry for each row of the outbox, as the relay would number them.
  std::vector<log::LogEntry> Entries() {
    return *pg::InTransaction(
        database_.pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<log::LogEntry>> {
          std::vector<log::LogEntry> entries;
          for (const auto& row : tx.RunText("SELECT topic, part, id, entity, version, type FROM "
                                            "ledger.outbox ORDER BY id")) {
            entries.push_back({row[0].as<int>(), row[1].as<int>(), row[2].as<int64_t>(),
                               row[3].as<std::string>(), row[4].as<int64_t>(),
                               row[5].as<std::string>(), absl::FromUnixSeconds(0)});
          }
          return entries;
        });
  }

  // As the role the service has.
  absl::Status Plan(const std::vector<log::LogEntry>& entries) {
    const absl::Status planned =
        pg::InTransaction(pool_, {}, [&](pg::Tx& tx) { return planner_->Plan(tx, entries); });
    if (planned.ok()) planner_->Committed();
    return planned;
  }
  void PlanAll() { EXPECT_THAT(Plan(Entries()), testing::IsOk()); }

  int Int(const std::string& sql) { return std::stoi("0" + database_.Query(sql)); }
  int Deliveries(const std::string& where = "true") {
    return Int("SELECT count(*) FROM notifier.delivery WHERE " + where);
  }
  // "recipient rule; recipient rule" of an inbox of everybody, in the order of planning.
  std::string Noticed(const std::string& ticket) {
    return database_.Query(
        "SELECT coalesce(string_agg(d.recipient || ' ' || d.rule, '; ' ORDER BY d.version, "
        "d.rule), '') FROM "
        "notifier.delivery d WHERE d.channel = 'inbox' AND d.state = 'sent' AND d.ticket_id = '" +
        ticket + "'");
  }

  testing::TestDatabase database_;
  FakeClock clock_{absl::FromUnixSeconds(1794819600)};  // 2026-11-16 09:00 UTC, a Monday.
  std::mt19937_64 random_{std::random_device{}()};
  std::unique_ptr<ledger::Reference> reference_;
  std::unique_ptr<ledger::Ledger> ledger_;
  pg::Pool pool_{pg::PoolOptions{.dsn = database_.dsn("potok_notifier"), .size = 6}};
  obs::Metrics metrics_;
  DeliveryMeters meters_{metrics_};
  const Texts texts_ = *Texts::Create();
  std::unique_ptr<Planner> planner_;

 private:
  absl::StatusOr<ledger::Outcome> Execute(desk::Command command) {
    return ledger_->Execute(std::move(command),
                            std::chrono::steady_clock::now() + std::chrono::seconds(20));
  }
};

}  // namespace potok::notifier
