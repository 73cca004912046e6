#include "router/work/testing/routing_fixture.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"

#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "ledger/definition_codec.h"
#include "ledger/history.h"
#include "ledger/reference_write.h"
#include "ledger/verify.h"
#include "router/store/decision_reads.h"
#include "router/work/testing/sql.h"

namespace potok::router::testing {
namespace {

// The value of a transaction that must succeed.
template <class T, class F>
T Must(pg::Pool& pool, F&& body) {
  absl::StatusOr<T> value =
      pg::InTransaction(pool, {}, [&](pg::Tx& tx) -> absl::StatusOr<T> { return body(tx); });
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *std::move(value) : T();
}

}  // namespace

// Counted, not drawn: thousands of ids of one millisecond must differ, and a failing test must fail
// again.
static uint64_t NextNumber() {
  static std::atomic<uint64_t> next{1};
  return next++;
}

std::string Uuid() { return desk::MakeTicketId(absl::FromUnixSeconds(1), 0, NextNumber()); }

RoutingTest::RoutingTest() : router_pool_({.dsn = database_.dsn("potok_router"), .size = 12}) {
  desk::SlaPolicy policy;
  policy.id = "standard";
  policy.calendar_id = "ru";
  policy.fallback.resolution = desk::Target{desk::Target::kWorkingDays, 2};
  policy.steps.push_back(
      {.after_breach = absl::Minutes(30), .action = desk::EscalationStep::kNextLine});
  Must<int>(database_.pool(20), [&](pg::Tx& tx) {
    tx.Run(sql::kSeedCalendar, "ru",
           ledger::ToJson(desk::RussianProductionCalendar("ru", "Europe/Moscow")));
    tx.Run(sql::kSeedPolicy, "standard", ledger::ToJson(policy));
    return 0;
  });
  reference_ = *ledger::Reference::Start(database_.pool());
  const auto count = [this] { ++commits_; };
  intake_ = std::make_unique<ledger::Ledger>(database_.pool(), *reference_, clock_,
                                             ledger::LedgerOptions{}, count);
  pass_ = std::make_unique<Pass>(router_pool_, *reference_, clock_, metrics_, count);
  rehome_ = std::make_unique<Rehome>(router_pool_, *reference_, clock_, metrics_, count);
}

desk::Flow RoutingTest::Draft(const std::string& id, desk::DistributionMode mode, int max_active) {
  desk::Flow flow;
  flow.id = id;
  flow.prefix = absl::AsciiStrToUpper(id);
  flow.name_ru = id;
  flow.sla_policy = "standard";
  flow.mode = mode;
  flow.options.max_active = max_active;
  flow.options.requester_accepts = false;
  flow.lines = 3;
  return flow;
}

void RoutingTest::Publish(desk::Flow flow) {
  Must<int>(database_.pool(), [&](pg::Tx& tx) {
    tx.Run(sql::kSeedFlowVersion, flow.id, flow.version, ledger::ToJson(flow));
    tx.Run(sql::kSeedFlow, flow.id, flow.version, flow.prefix);
    ledger::BumpEpoch(tx, ledger::kFlowKind);
    return 0;
  });
  EXPECT_TRUE(reference_->Refresh().ok());
}

void RoutingTest::Hire(const std::string& flow, const std::vector<std::string>& employees,
                       int line) {
  std::vector<MemberDraft> drafts;
  Must<int>(database_.pool(), [&](pg::Tx& tx) {
    drafts.clear();
    for (const std::string& employee : employees) {
      tx.Run(sql::kSeedEmployee, employee, employee);
      drafts.push_back({.employee = employee, .line = line});
    }
    ledger::BumpEpoch(tx, ledger::kDirectoryKind);
    return 0;
  });
  Must<int>(router_pool_, [&](pg::Tx& tx) {
    UpsertMembers(tx, flow, reference_->Snapshot()->Flow(flow)->options.max_active, drafts);
    for (const std::string& employee : employees) {
      WritePresence(tx, employee, kOnline, std::nullopt, clock_.Now(), "users/test");
    }
    ledger::BumpEpoch(tx, ledger::kMemberKind);
    return 0;
  });
  EXPECT_TRUE(reference_->Refresh().ok());
}

void RoutingTest::Say(const std::string& employee, const std::string& status) {
  Must<int>(router_pool_, [&](pg::Tx& tx) {
    WritePresence(tx, employee, status, std::nullopt, clock_.Now(), "users/test");
    return 0;
  });
}

std::string RoutingTest::Leave(const std::string& employee, absl::Time from, absl::Time to) {
  return Must<std::string>(router_pool_, [&](pg::Tx& tx) {
    return InsertAbsence(tx, employee, {"", "leave", from, to, ""}, clock_.Now(), "users/test");
  });
}

std::vector<std::string> RoutingTest::FileMany(const std::string& flow, int count) {
  std::vector<std::string> ids(count);
  absl::BlockingCounter left(count);
  const int version = reference_->Snapshot()->Flow(flow)->version;
  for (int i = 0; i < count; ++i) {
    desk::Command command;
    command.viewer.principal = "users/zayavitel";
    command.viewer.employee = "zayavitel";
    command.method = "CreateTicket";
    command.request_id = Uuid();
    desk::CreateTicket create;
    create.draft.part = desk::PartOf(command.viewer.principal, command.request_id);
    create.draft.id = desk::MakeTicketId(clock_.Now(), create.draft.part, NextNumber());
    create.draft.flow_id = flow;
    create.draft.flow_version = version;
    create.draft.caller = command.viewer.principal;
    create.draft.request_id = command.request_id;
    create.draft.requester = "zayavitel";
    create.draft.title = "Справка 2-НДФЛ";
    command.action = create;
    intake_->Submit(std::move(command), std::chrono::steady_clock::now() + std::chrono::minutes(1),
                    [&left, id = &ids[i]](absl::StatusOr<ledger::Outcome> outcome) {
                      EXPECT_TRUE(outcome.ok()) << outcome.status();
                      if (outcome.ok()) *id = outcome->ticket.id;
                      left.DecrementCount();
                    });
  }
  left.Wait();
  return ids;
}

std::string RoutingTest::File(const std::string& flow) {
  clock_.Advance(absl::Milliseconds(1));  // So that tests may speak of earlier and later tickets.
  return FileMany(flow, 1)[0];
}

desk::Viewer RoutingTest::Agent(const std::string& employee, const std::string& flow) {
  desk::Viewer viewer;
  viewer.principal = "users/" + employee;
  viewer.employee = employee;
  viewer.flows_served = {flow};
  return viewer;
}

desk::Command RoutingTest::On(const std::string& ticket, desk::Viewer viewer,
                              desk::Action action) const {
  desk::Command command;
  command.ticket_id = ticket;
  command.viewer = std::move(viewer);
  command.method = "Test";
  command.request_id = Uuid();
  command.action = std::move(action);
  return command;
}

absl::StatusOr<ledger::Outcome> RoutingTest::Do(desk::Command command) {
  return intake_->Execute(std::move(command),
                          std::chrono::steady_clock::now() + std::chrono::seconds(30));
}

void RoutingTest::Start(const std::string& ticket) {
  const desk::Ticket now = Get(ticket);
  const auto done = Do(On(ticket, Agent(now.assignee, now.flow_id), desk::StartTicket{}));
  EXPECT_TRUE(done.ok()) << done.status();
}

void RoutingTest::Resolve(const std::string& ticket) {
  const desk::Ticket now = Get(ticket);
  if (now.state == desk::State::kAssigned) Start(ticket);
  const auto done = Do(On(ticket, Agent(now.assignee, now.flow_id), desk::ResolveTicket{"Готово"}));
  EXPECT_TRUE(done.ok()) << done.status();
}

desk::Ticket RoutingTest::Get(const std::string& ticket) {
  return Must<desk::Ticket>(database_.pool(),
                            [&](pg::Tx& tx) { return *ledger::FindTicket(tx, ticket); });
}

std::string RoutingTest::Reason(const std::string& ticket) {
  return Must<std::string>(router_pool_, [&](pg::Tx& tx) {
    const desk::QueueReason reason = FindQueueReason(tx, *desk::PartOfTicketId(ticket), ticket);
    return reason == desk::QueueReason::kReady ? std::string() : std::string(desk::Name(reason));
  });
}

std::vector<FoundDecision> RoutingTest::Decisions(const std::string& ticket) {
  return Must<std::vector<FoundDecision>>(router_pool_, [&](pg::Tx& tx) {
    return FindDecisions(tx, *desk::PartOfTicketId(ticket), ticket, 100);
  });
}

std::vector<std::string> RoutingTest::Holders(const std::vector<std::string>& tickets) {
  std::vector<std::string> holders;
  for (const std::string& ticket : tickets) holders.push_back(Get(ticket).assignee);
  return holders;
}

std::string RoutingTest::Broken() {
  Must<int>(database_.pool(), [&](pg::Tx& tx) {
    tx.Run(sql::kSetBusinessTime, clock_.Now());
    return 0;
  });
  const auto result = ledger::Verify(database_.pool(), *reference_->Snapshot(), true);
  if (!result.ok()) return result.status().ToString();
  std::string broken;
  for (const ledger::InvariantResult& check : result->checks) {
    // No relay and no timer loop run here, so of the checks for a drained system only the queue's
    // holds.
    if (check.rows == 0 || (check.quiescent && check.id != "I6")) continue;
    absl::StrAppend(&broken, check.id, " ", check.title_en, ": ", check.rows, " ",
                    check.examples.empty() ? "" : check.examples[0], "\n");
  }
  return broken;
}

}  // namespace potok::router::testing
