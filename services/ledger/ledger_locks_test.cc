// Commands whose rows somebody else holds.
#include <atomic>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

#include "desk/ticket/ids.h"
#include "ledger/ledger_fixture.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"

namespace potok::ledger {
namespace {

using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;

// Somebody who forgot a transaction holds a ticket, or the load row of an agent: whoever needs that
// row waits for it, and nobody else notices.
class HeldRow : public LedgerTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(HeldRow, DelaysOnlyThoseWhoNeedIt) {
  // Two tickets of one executor, so that their commands meet in one queue.
  const std::string needed = File();
  std::string other;
  do {
    other = File();
  } while ((*desk::PartOfTicketId(other) - *desk::PartOfTicketId(needed)) % 2 != 0);
  for (const auto& [ticket, agent] : {std::pair(needed, "agent1"), std::pair(other, "agent2")}) {
    ASSERT_THAT(Do(On(ticket, desk::SystemViewer(), desk::AssignTicket{agent, "manual"})), IsOk());
    ASSERT_THAT(Do(On(ticket, Agent(agent), desk::StartTicket{})), IsOk());
  }
  // So patient that nobody who once waits for the row is answered while it is held.
  pg::Pool patient({.dsn = database_.dsn(),
                    .statement_timeout = absl::Seconds(60),
                    .lock_timeout = absl::Seconds(60)});
  Ledger ledger(patient, *reference_, clock_, LedgerOptions{}, [] {});
  absl::Notification holds, release;
  std::atomic<bool> held{true};
  std::thread hog([&] {
    EXPECT_THAT(pg::InTransaction(database_.pool(), {},
                                  [&](pg::Tx& tx) -> absl::Status {
                                    tx.RunText("SET LOCAL idle_in_transaction_session_timeout = 0");
                                    tx.RunText(GetParam(), {pg::ToParam(needed)});
                                    holds.Notify();
                                    release.WaitForNotificationWithTimeout(absl::Seconds(30));
                                    held = false;
                                    return absl::OkStatus();
                                  }),
                IsOk());
  });
  holds.WaitForNotification();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  absl::Notification waited, neighbours;
  ledger.Submit(On(needed, Agent("agent1"), desk::ResolveTicket{"раз"}), deadline,
                [&](const absl::StatusOr<Outcome>& outcome) {
                  EXPECT_THAT(outcome, IsOk());
                  EXPECT_FALSE(held);
                  waited.Notify();
                });
  std::atomic<int> left{0};
  const auto answered = [&](const absl::StatusOr<Outcome>& outcome) {
    EXPECT_THAT(outcome, IsOk());
    EXPECT_TRUE(held);
    if (--left == 0) neighbours.Notify();
  };
  std::vector<Command> commands = {On(other, Agent("agent2"), desk::AddComment{"два", false}),
                                   On(other, Agent("agent2"), desk::ResolveTicket{"три"})};
  for (int i = 0; i < 8; ++i) commands.push_back(Filing(Uuid()));
  left = static_cast<int>(commands.size());
  for (Command& command : commands) ledger.Submit(std::move(command), deadline, answered);
  EXPECT_TRUE(neighbours.WaitForNotificationWithTimeout(absl::Seconds(20)));
  release.Notify();
  EXPECT_TRUE(waited.WaitForNotificationWithTimeout(absl::Seconds(20)));
  hog.join();
  EXPECT_EQ(ledger.Stats().queued, 0);
}

INSTANTIATE_TEST_SUITE_P(
    , HeldRow,
    ::testing::Values("SELECT 1 FROM ledger.ticket WHERE id = $1::uuid FOR UPDATE",
                      "SELECT 1 FROM ledger.agent_load l JOIN ledger.ticket t ON l.agent_id = "
                      "t.assignee WHERE t.id = $1::uuid FOR UPDATE OF l"));

// More than one is left to the thread that waits, of several tickets and two for each.
TEST_F(LedgerTest, AllThatWaitAreAnsweredOnceAndSeeEachOther) {
  std::vector<std::string> tickets;
  for (int i = 0; i < 4; ++i) tickets.push_back(File());
  pg::Pool patient({.dsn = database_.dsn(),
                    .statement_timeout = absl::Seconds(60),
                    .lock_timeout = absl::Seconds(60)});
  Ledger ledger(patient, *reference_, clock_, {.executors = 1}, [] {});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::atomic<int> answers{0};
  absl::Mutex mu;
  std::set<std::pair<std::string, int64_t>> versions;
  EXPECT_THAT(pg::InTransaction(
                  database_.pool(), {},
                  [&](pg::Tx& tx) -> absl::Status {
                    tx.RunText("SET LOCAL idle_in_transaction_session_timeout = 0");
                    tx.RunText("SELECT 1 FROM ledger.ticket FOR UPDATE");
                    for (const std::string& ticket : tickets) {
                      for (const char* text : {"раз", "два"}) {
                        ledger.Submit(On(ticket, Viewer("petrov"), desk::AddComment{text, false}),
                                      deadline, [&](const absl::StatusOr<Outcome>& outcome) {
                                        EXPECT_THAT(outcome, IsOk());
                                        absl::MutexLock lock(&mu);
                                        if (outcome.ok()) {
                                          versions.emplace(outcome->ticket.id,
                                                           outcome->event.version);
                                        }
                                        ++answers;
                                      });
                      }
                    }
                    EXPECT_TRUE(testing::Eventually([&] { return ledger.Stats().deferred == 8; }));
                    EXPECT_EQ(ledger.Stats().queued, 8);
                    EXPECT_EQ(answers, 0);
                    return absl::OkStatus();
                  }),
              IsOk());
  EXPECT_TRUE(testing::Eventually([&] { return ledger.Stats().queued == 0 && answers == 8; }));
  EXPECT_EQ(ledger.Stats().commands, 8);
  absl::MutexLock lock(&mu);
  EXPECT_EQ(versions.size(), 8u) << "a version was told twice";
}

// A ledger that ends answers what waits: the thread that waits ends last.
TEST_F(LedgerTest, WhatWaitsForARowIsAnsweredBeforeTheLedgerEnds) {
  const std::string ticket = File();
  pg::Pool hasty({.dsn = database_.dsn(), .lock_timeout = absl::Milliseconds(50)});
  int answers = 0;
  EXPECT_THAT(pg::InTransaction(
                  database_.pool(), {},
                  [&](pg::Tx& tx) -> absl::Status {
                    tx.RunText("SELECT 1 FROM ledger.ticket WHERE id = $1::uuid FOR UPDATE",
                               {pg::ToParam(ticket)});
                    Ledger ledger(hasty, *reference_, clock_, LedgerOptions{}, [] {});
                    for (int i = 0; i < 3; ++i) {
                      ledger.Submit(On(ticket, Agent("agent1"), desk::AddComment{"раз", false}),
                                    std::chrono::steady_clock::now() + std::chrono::seconds(20),
                                    [&](const absl::StatusOr<Outcome>& outcome) {
                                      EXPECT_THAT(outcome,
                                                  StatusIs(absl::StatusCode::kAborted, "CONFLICT"));
                                      ++answers;
                                    });
                    }
                    return absl::OkStatus();
                  }),
              IsOk());
  EXPECT_EQ(answers, 3);
}

// Held for longer than the pool's patience, it is told to come again.
TEST_F(LedgerTest, WhoNeedsARowThatIsNotGivenBackIsToldSo) {
  const std::string ticket = File();
  pg::Pool hasty({.dsn = database_.dsn(), .lock_timeout = absl::Milliseconds(50)});
  Ledger ledger(hasty, *reference_, clock_, LedgerOptions{}, [] {});
  EXPECT_THAT(pg::InTransaction(
                  database_.pool(), {},
                  [&](pg::Tx& tx) -> absl::Status {
                    tx.RunText("SELECT 1 FROM ledger.ticket WHERE id = $1::uuid FOR UPDATE",
                               {pg::ToParam(ticket)});
                    EXPECT_THAT(
                        ledger.Execute(On(ticket, Agent("agent1"), desk::AddComment{"раз", false}),
                                       std::chrono::steady_clock::now() + std::chrono::seconds(20)),
                        StatusIs(absl::StatusCode::kAborted, "CONFLICT"));
                    return absl::OkStatus();
                  }),
              IsOk());
  EXPECT_EQ(ledger.Stats().deferred, 1);
}

}  // namespace
}  // namespace potok::ledger
