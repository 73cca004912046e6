// Each invariant finds what it is for, and legal histories break none of them.
#include "ledger/invariants.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "desk/calendar/ready_calendars.h"
#include "desk/ticket/ids.h"
#include "ledger/definition_codec.h"
#include "ledger/history.h"
#include "ledger/invariants/desk_fixture.h"
#include "ledger/invariants/planted_violations_fixture.h"
#include "ledger/ledger.h"
#include "ledger/reference_write.h"
#include "ledger/verify.h"
#include "platform/clock/clock.h"
#include "platform/testing/signal.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::ledger {
namespace {

using desk::Command;
using ::potok::testing::IsOk;
using ::testing::IsEmpty;

class InvariantsTest : public DeskFixture {
 protected:
  // Ids of the invariants that are broken, each with its first example.
  std::vector<std::string> Broken(bool quiescent) {
    const absl::StatusOr<VerifyResult> result =
        Verify(database_.pool(), *reference_->Snapshot(), quiescent);
    EXPECT_THAT(result, IsOk());
    std::vector<std::string> broken;
    for (const InvariantResult& check : result->checks) {
      if (check.rows > 0) broken.push_back(absl::StrCat(check.id, " ", check.examples[0]));
    }
    EXPECT_EQ(result->clean, broken.empty());
    return broken;
  }
};

TEST_F(InvariantsTest, EveryCheckedInvariantHasAPlantedViolation) {
  std::set<std::string> planted, listed = {"F1", "I27"};
  for (const Plant& plant : kPlants) planted.insert(plant.invariant);
  for (const Invariant& invariant : Invariants()) {
    if (invariant.statement != nullptr) listed.insert(std::string(invariant.id));
  }
  EXPECT_EQ(planted, listed);
}

TEST_F(InvariantsTest, EachOfTheDesignIsCheckedOrListedWithTheReasonWhyNot) {
  std::set<std::string> named = {"I27"};  // By verify_folds.cc.
  for (const Invariant& invariant : Invariants()) {
    named.insert(std::string(invariant.id));
    EXPECT_TRUE(invariant.statement != nullptr || !invariant.why_not.empty()) << invariant.id;
  }
  for (int i = 1; i <= 28; ++i) EXPECT_EQ(named.count(absl::StrCat("I", i)), 1) << "I" << i;
}

TEST_F(InvariantsTest, ADeskAtRestKeepsThemAll) {
  FillTheDesk();
  Quiesce();
  EXPECT_THAT(Broken(/*quiescent=*/true), IsEmpty());
}

// Each is planted in a transaction that is then rolled back, so that one desk serves all. What is
// found must say which rows it is about, and no others.
TEST_F(InvariantsTest, EveryPlantedViolationIsFoundByNameWithItsRows) {
  FillTheDesk();
  Quiesce();
  ASSERT_THAT(Broken(/*quiescent=*/true), IsEmpty());
  const std::shared_ptr<const ReferenceSnapshot> reference = reference_->Snapshot();
  for (const Plant& plant : kPlants) {
    SCOPED_TRACE(absl::StrCat(plant.invariant, ": ", plant.what));
    VerifyResult found;
    std::vector<std::string> culprits;
    const absl::Status rolled_back =
        pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
          tx.Exec(plant.sql);
          for (const auto& row : tx.Exec(plant.culprits)) culprits.push_back(row[0].c_str());
          found = VerifyIn(tx, *reference, /*quiescent=*/true);
          return absl::CancelledError();
        });
    ASSERT_TRUE(absl::IsCancelled(rolled_back)) << rolled_back << pg::Cause(rolled_back);
    ASSERT_FALSE(culprits.empty());
    EXPECT_FALSE(found.clean);
    const auto check =
        std::find_if(found.checks.begin(), found.checks.end(),
                     [&](const InvariantResult& each) { return each.id == plant.invariant; });
    ASSERT_NE(check, found.checks.end());
    EXPECT_GT(check->rows, 0);
    EXPECT_FALSE(check->examples.empty());
    for (const std::string& example : check->examples) {
      EXPECT_TRUE(std::any_of(culprits.begin(), culprits.end(), [&](const std::string& culprit) {
        return absl::StrContains(example, culprit);
      })) << example;
    }
  }
  EXPECT_THAT(Broken(/*quiescent=*/true), IsEmpty());
}

// Chaos runs ask each second while the load goes on.
TEST_F(InvariantsTest, AVerifierStopsNoWriterAndNoWriterDisturbsIt) {
  FillTheDesk();
  absl::Notification stop;
  std::vector<std::string> broken;
  std::atomic<int> looks{0};
  std::thread verifier([&] {
    while (!stop.HasBeenNotified()) {
      for (std::string& each : Broken(/*quiescent=*/false)) broken.push_back(std::move(each));
      ++looks;
    }
  });
  while (looks < 3) {
    const std::string id = File(*ledger_);
    Must(id, Boss(), desk::AssignTicket{"agent4", "manual"});
    Must(id, Boss(), desk::StartTicket{});
    Must(id, Boss(), desk::ResolveTicket{"!"});
    Must(id, Person("petrov"), desk::ConfirmTicket{});
  }
  stop.Notify();
  verifier.join();
  EXPECT_THAT(broken, IsEmpty());
}

TEST_F(InvariantsTest, TwentyThousandTicketsAreCheckedInOneSnapshot) {
  FillTheDesk();
  Multiply(3400);
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<VerifyResult> result =
      Verify(database_.pool(), *reference_->Snapshot(), /*quiescent=*/false);
  const absl::Duration took = absl::FromChrono(std::chrono::steady_clock::now() - start);
  ASSERT_THAT(result, IsOk());
  for (const InvariantResult& check : result->checks) {
    EXPECT_EQ(check.rows, 0) << check.id << " " << (check.rows > 0 ? check.examples[0] : "");
    if (check.elapsed > absl::Milliseconds(50)) {
      std::cout << check.id << " " << absl::FormatDuration(check.elapsed) << "\n";
    }
  }
  EXPECT_GT(result->tickets, 20000);
  RecordProperty("verify_ms", static_cast<int>(absl::ToInt64Milliseconds(took)));
  std::cout << result->tickets << " tickets, " << result->events
            << " events: " << absl::FormatDuration(took) << "\n";
}

// The idle half of the outbox is emptied by TRUNCATE, which is not versioned: a snapshot taken
// before it would miss rows that moved to the log since. So the verifier is in its way, or it in
// the verifier's.
TEST_F(InvariantsTest, ATruncatedOutboxIsNeverSeenHalf) {
  FillTheDesk();
  const auto lock_mode = [&](const char* mode) {
    return Sql(
        absl::StrCat("SELECT count(*) FROM pg_locks WHERE relation = "
                     "'ledger.outbox'::regclass AND mode = '",
                     mode, "' AND granted"));
  };
  ASSERT_THAT(pg::InTransaction(database_.pool(), {},
                                [&](pg::Tx& tx) -> absl::Status {
                                  tx.Exec("LOCK TABLE ledger.outbox IN ACCESS EXCLUSIVE MODE");
                                  EXPECT_EQ(lock_mode("AccessExclusiveLock"), "1");
                                  pg::Pool hasty({.dsn = database_.dsn("potok_intake"),
                                                  .size = 1,
                                                  .lock_timeout = absl::Milliseconds(1)});
                                  EXPECT_THAT(Verify(hasty, *reference_->Snapshot(), false),
                                              ::testing::Not(IsOk()));
                                  return absl::OkStatus();
                                }),
              IsOk());
  pg::Pool reader({.dsn = database_.dsn("potok_analytics"), .size = 1});
  EXPECT_THAT(Verify(reader, *reference_->Snapshot(), false), IsOk());
}

// A policy in force decides the steps of tickets that are already there. Whatever it drops may not
// outlive the ticket's work, and what it adds must be armed.
TEST_F(InvariantsTest, APolicyThatChangesLeavesNoTimerBehindAndForgetsNone) {
  const std::string resolved = File(*ledger_), breached = File(*ledger_);
  for (const std::string& id : {resolved, breached}) {
    Must(id, Boss(), desk::AssignTicket{"agent1", "manual"});
    Must(id, Boss(), desk::StartTicket{});
  }
  policy_.half_term_reminder = false;
  policy_.steps.clear();
  RepublishPolicy();
  Must(resolved, Boss(), desk::ResolveTicket{"!"});
  EXPECT_THAT(Broken(/*quiescent=*/false), IsEmpty());

  clock_.Advance(absl::Hours(24 * 7));
  Must(breached, desk::SystemViewer(), desk::FireTimer{desk::TimerKind::kBreach, 0});
  const auto escalation = [&] {
    return Sql(
        absl::StrCat("SELECT state FROM ledger.sla_timer WHERE kind = 'escalate' AND "
                     "ticket_id = '",
                     breached, "'"));
  };
  EXPECT_EQ(escalation(), "");
  policy_.steps = {{1, absl::Hours(1), desk::EscalationStep::kTellManager}};
  RepublishPolicy();
  Must(breached, Boss(), desk::AddComment{"?", false});
  EXPECT_EQ(escalation(), "armed");
}

// Entries of the log are dropped after 14 days; that is no loss.
TEST_F(InvariantsTest, EventsWhoseEntriesWereDroppedByAgeAreNotMissing) {
  FillTheDesk();
  Quiesce();
  Sql("TRUNCATE ledger.event_log; UPDATE ledger.clock_origin SET scale = 1, real_origin = "
      "clock_timestamp() - interval '15 days'");
  EXPECT_THAT(Broken(/*quiescent=*/false), IsEmpty());
}

// Any commands by anyone, from two replicas at once, with caps and policies that change meanwhile.
TEST_F(InvariantsTest, RandomLivesThroughTwoReplicasBreakNone) {
  Ledger other(database_.pool(), *reference_, clock_, LedgerOptions{}, [] {});
  std::vector<std::string> tickets;
  for (int i = 0; i < 40; ++i) tickets.push_back(File(*ledger_));
  std::atomic<int> accepted{0}, refused{0};
  std::mutex mu;
  std::map<std::string, int> unexpected;
  const auto live = [&](int seed) {
    std::mt19937 random(seed);
    for (int step = 0; step < 500; ++step) {
      if (random() % 4 == 0) clock_.Advance(absl::Minutes(random() % 120));
      const std::string ticket = tickets[random() % tickets.size()];
      const std::string agent = absl::StrCat("agent", random() % kAgents);
      const desk::Viewer viewers[] = {Boss(), Boss(), Person("petrov"), desk::SystemViewer()};
      desk::FireTimer fire{desk::TimerKind::kBreach, 0};
      desk::Viewer viewer = viewers[random() % 4];
      int choice = random() % 22;
      if (choice >= 17) {
        // What is armed, due or not: what is not must be refused.
        const auto armed = pg::InAutocommit(
            database_.pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<desk::FireTimer> {
              const auto rows = tx.RunText(
                  "SELECT kind, gen FROM ledger.sla_timer WHERE ticket_id = $1::uuid AND state = "
                  "'armed' ORDER BY due_at LIMIT 1",
                  {pg::ToParam(ticket)});
              if (rows.empty()) return fire;
              return desk::FireTimer{*desk::ParseTimerKind(rows[0][0].as<std::string>()),
                                     rows[0][1].as<int>()};
            });
        if (armed.ok()) fire = *armed;
        viewer = desk::SystemViewer();
        choice = 17;
      }
      const desk::Action actions[] = {
          desk::AssignTicket{agent, "manual"},
          desk::StartTicket{},
          desk::WaitTicket{"?"},
          desk::ResumeTicket{"!", random() % 3 == 0},
          desk::ResolveTicket{"r"},
          desk::ConfirmTicket{},
          desk::SendBackTicket{"no"},
          desk::RateTicket{static_cast<int>(1 + random() % 5), ""},
          random() % 16 == 0 ? desk::Action(desk::CancelTicket{"c"}) : desk::StartTicket{},
          desk::ReopenTicket{"o"},
          desk::DeclineTicket{"d"},
          desk::ReturnTicket{"t", random() % 2 == 0},
          desk::TransferTicket{agent, "x"},
          desk::ChangeLine{static_cast<int>(random() % 4), "l"},
          desk::AddComment{"w", random() % 2 == 0},
          desk::ExtendDeadline{clock_.Now() + absl::Hours(random() % 100), "e"},
          desk::ChangePriority{static_cast<int>(1 + random() % 4), "p"},
          fire};
      const auto outcome = Do(random() % 2 ? *ledger_ : other, ticket, viewer, actions[choice]);
      if (outcome.ok()) {
        ++accepted;
        continue;
      }
      ++refused;
      if (absl::IsInternal(outcome.status()) || absl::IsUnknown(outcome.status()) ||
          absl::IsAborted(outcome.status()) || absl::IsAlreadyExists(outcome.status())) {
        std::lock_guard<std::mutex> lock(mu);
        ++unexpected[absl::StrCat(outcome.status().ToString(), " ", choice)];
      }
    }
  };
  std::vector<std::thread> people;
  for (int i = 0; i < 4; ++i) people.emplace_back(live, 20261122 + i);
  std::mt19937 random(7);
  for (int i = 0; i < 40; ++i) {
    Sql(absl::StrCat("UPDATE ledger.agent_load SET cap = ", random() % 5,
                     " WHERE agent_id = 'agent", random() % kAgents, "' AND flow_id = 'it'"));
    if (i % 6 == 5) {
      policy_.half_term_reminder = !policy_.half_term_reminder;
      if (policy_.steps.empty()) {
        policy_.steps = {{1, absl::Hours(3), desk::EscalationStep::kNextLine}};
      } else {
        policy_.steps.clear();
      }
      RepublishPolicy();
    }
    // Spread over their two thousand commands, however long those take.
    if (!testing::Eventually([&] { return accepted + refused >= 45 * (i + 1); })) break;
  }
  for (std::thread& person : people) person.join();
  EXPECT_GT(accepted, 200);
  EXPECT_GT(refused, 100);
  EXPECT_THAT(unexpected, IsEmpty());
  EXPECT_THAT(Broken(/*quiescent=*/false), IsEmpty());
}

}  // namespace
}  // namespace potok::ledger
