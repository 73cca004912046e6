#include "ledger/ledger.h"

#include <atomic>
#include <random>
#include <set>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/error.h"
#include "desk/ticket/ids.h"
#include "ledger/history.h"
#include "ledger/ledger_fixture.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"

namespace potok::ledger {
namespace {

using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;

TEST_F(LedgerTest, ATicketItsEventItsTimersAndItsOutboxRowLeaveInOneCommit) {
  const absl::StatusOr<Outcome> filed = Do(Filing(Uuid()));
  ASSERT_THAT(filed, IsOk());
  EXPECT_EQ(filed->ticket.number, "IT-000001");
  EXPECT_EQ(filed->ticket.version, 1);
  EXPECT_TRUE(filed->ticket.sla.due_at.has_value());
  EXPECT_EQ(Count("ticket"), "1");
  EXPECT_EQ(Count("ticket_event"), "1");
  EXPECT_EQ(Count("outbox"), "1");
  EXPECT_EQ(Count("sla_timer WHERE state = 'armed'"), "2");
  EXPECT_EQ(Count("idem"), "1");
  EXPECT_EQ(commits_, 1);
}

TEST_F(LedgerTest, SixtyFourCallersWithOneRequestIdMakeOneTicket) {
  const std::string request_id = Uuid();
  // Two ledgers stand for two replicas: the twins meet in Postgres, not in one queue.
  Ledger other(database_.pool(), *reference_, clock_, LedgerOptions{}, [] {});
  std::vector<std::thread> callers;
  std::mutex mu;
  std::set<std::string> ids;
  int replayed = 0;
  for (int i = 0; i < 64; ++i) {
    callers.emplace_back([&, i] {
      const auto answer = (i % 2 == 0 ? *ledger_ : other)
                              .Execute(Filing(request_id),
                                       std::chrono::steady_clock::now() + std::chrono::seconds(20));
      ASSERT_THAT(answer, IsOk());
      std::lock_guard<std::mutex> lock(mu);
      ids.insert(answer->ticket.id);
      replayed += answer->replayed;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(replayed, 63);
  EXPECT_EQ(Count("ticket"), "1");
  EXPECT_EQ(database_.Query("SELECT next FROM ledger.flow_counter"), "2");
}

TEST_F(LedgerTest, WhoeverIsToGiveTicketsAwayIsToldOfEachThatComesIntoItsQueue) {
  testing::Recorder<std::string> told;
  LedgerOptions options;
  options.on_queued = [&](const desk::Ticket& ticket) {
    told.Add(absl::StrCat(ticket.part, " ", ticket.flow_id, " ", ticket.version));
  };
  Ledger ledger(database_.pool(), *reference_, clock_, options, [] {});
  const auto execute = [&](Command command) {
    return ledger.Execute(std::move(command),
                          std::chrono::steady_clock::now() + std::chrono::seconds(20));
  };
  const std::string request_id = Uuid();
  const auto filed = execute(Filing(request_id));
  ASSERT_THAT(filed, IsOk());
  const std::string id = filed->ticket.id;
  ASSERT_THAT(execute(Filing(request_id)), IsOk());  // The same answer again: nothing came.
  clock_.Advance(absl::Seconds(1));
  ASSERT_THAT(execute(On(id, Agent("agent1"), desk::AddComment{"раз", false})), IsOk());
  ASSERT_THAT(execute(On(id, Agent("agent1"), desk::AddComment{"раз", false})), IsOk());
  ASSERT_THAT(execute(On(id, desk::SystemViewer(), desk::AssignTicket{"agent1", "round_robin"})),
              IsOk());
  const auto declined = execute(On(id, Agent("agent1"), desk::DeclineTicket{"нет"}));
  ASSERT_THAT(declined, IsOk());
  const std::string where = absl::StrCat(filed->ticket.part, " it ");
  EXPECT_THAT(told.Items(),
              ::testing::ElementsAre(where + "1", absl::StrCat(where, declined->ticket.version)));
}

TEST_F(LedgerTest, AReusedRequestIdWithOtherContentIsRefusedAndChangesNothing) {
  const std::string request_id = Uuid();
  ASSERT_THAT(Do(Filing(request_id)), IsOk());
  EXPECT_THAT(Do(Filing(request_id, "другое")),
              StatusIs(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED"));
  EXPECT_EQ(Count("ticket"), "1");
}

TEST_F(LedgerTest, ARepeatedMoveAnswersAsItDidTheFirstTime) {
  const std::string id = File();
  Command assign = On(id, desk::SystemViewer(), desk::AssignTicket{"agent1", "manual"});
  ASSERT_THAT(Do(assign), IsOk());
  ASSERT_THAT(Do(On(id, Agent("agent1"), desk::StartTicket{})), IsOk());
  const absl::StatusOr<Outcome> again = Do(assign);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->ticket.version, 2);
  EXPECT_EQ(again->ticket.state, desk::State::kAssigned);
}

TEST_F(LedgerTest, OneOfSixtyFourSelfPickersWins) {
  const std::string id = File();
  std::vector<std::thread> pickers;
  std::atomic<int> winners{0};
  std::mutex mu;
  std::set<std::string> reasons;
  for (int i = 0; i < 64; ++i) {
    pickers.emplace_back([&, i] {
      const std::string agent = absl::StrCat("agent", i % 10);
      Command pick = On(id, Agent(agent), desk::AssignTicket{agent, "self_pick"});
      pick.expected_version = 1;
      const auto answer = Do(pick);
      if (answer.ok()) {
        ++winners;
      } else {
        std::lock_guard<std::mutex> lock(mu);
        reasons.insert(GetErrorDetail(answer.status()).reason);
      }
    });
  }
  for (std::thread& picker : pickers) picker.join();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(reasons, std::set<std::string>{"ETAG_MISMATCH"});
  EXPECT_EQ(Count("assignment"), "1");
}

TEST_F(LedgerTest, NoAgentEverHoldsMoreThanTheCap) {
  std::vector<std::string> tickets;
  for (int i = 0; i < 60; ++i) tickets.push_back(File());
  std::vector<std::thread> assigners;
  std::atomic<int> given{0};
  for (int worker = 0; worker < 4; ++worker) {
    assigners.emplace_back([&, worker] {
      for (int i = 0; i < 60; ++i) {
        const std::string agent = absl::StrCat("agent", (i + worker) % 10);
        given += Do(On(tickets[i], desk::SystemViewer(), desk::AssignTicket{agent, "manual"})).ok();
      }
    });
  }
  for (std::thread& assigner : assigners) assigner.join();
  EXPECT_EQ(given, 30);
  EXPECT_EQ(Count("agent_load WHERE active <> 3"), "0");
  EXPECT_EQ(Count("assignment WHERE released_at IS NULL"), "30");
}

TEST_F(LedgerTest, ARefusedCommandLeavesItsNeighboursAlone) {
  const std::string id = File();
  std::atomic<int> fine{0}, refused{0}, answered{0};
  absl::Mutex mu;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (int i = 0; i < 50; ++i) {
    const auto done = [&](absl::StatusOr<Outcome> answer) {
      absl::MutexLock lock(&mu);
      ++(answer.ok() ? fine : refused);
      ++answered;
    };
    ledger_->Submit(Filing(Uuid()), deadline, done);
    // Nobody holds it, so nobody may start it.
    ledger_->Submit(On(id, Agent("agent1"), desk::StartTicket{}), deadline, done);
  }
  absl::MutexLock lock(&mu);
  mu.Await(absl::Condition(
      +[](std::atomic<int>* n) { return n->load() == 100; }, &answered));
  EXPECT_EQ(fine, 50);
  EXPECT_EQ(refused, 50);
  EXPECT_EQ(Count("ticket"), "51");
}

TEST_F(LedgerTest, WorkPastItsDeadlineIsNotStarted) {
  const auto answer = ledger_->Execute(Filing(Uuid()), std::chrono::steady_clock::now());
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kDeadlineExceeded, "DEADLINE_PASSED"));
  EXPECT_EQ(Count("ticket"), "0");
}

TEST_F(LedgerTest, AnyVersionOfATicketCanBeReadAgain) {
  const std::string id = File();
  ASSERT_THAT(Do(On(id, desk::SystemViewer(), desk::AssignTicket{"agent1", "manual"})), IsOk());
  clock_.Advance(absl::Minutes(5));
  ASSERT_THAT(Do(On(id, Agent("agent1"), desk::StartTicket{})), IsOk());
  ASSERT_THAT(Do(On(id, Agent("agent1"), desk::ResolveTicket{"Готово"})), IsOk());
  const auto history = pg::InTransaction(
      database_.pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<desk::Ticket>> {
        std::vector<desk::Ticket> versions;
        for (int version = 1; version <= 4; ++version)
          versions.push_back(*TicketAt(tx, id, version));
        return versions;
      });
  ASSERT_THAT(history, IsOk());
  EXPECT_EQ((*history)[0].state, desk::State::kQueued);
  EXPECT_EQ((*history)[1].assignee, "agent1");
  EXPECT_EQ((*history)[2].state, desk::State::kInProgress);
  EXPECT_EQ((*history)[3].result, "Готово");
  EXPECT_EQ((*history)[3].number, "IT-000001");
}

TEST_F(LedgerTest, EachServiceMayAppendOnlyItsOwnEvents) {
  pg::Pool router({.dsn = database_.dsn("potok_router")});
  Ledger as_router(router, *reference_, clock_, LedgerOptions{}, [] {});
  const auto answer = as_router.Execute(
      Filing(Uuid()), std::chrono::steady_clock::now() + std::chrono::seconds(20));
  EXPECT_FALSE(answer.ok());  // Row security refuses `created` from the router.
  EXPECT_EQ(Count("ticket"), "0");
}

// Nothing stands in for a ticket that is not there.
TEST_F(LedgerTest, ATicketThatDoesNotExistIsNotFound) {
  desk::Viewer all = Viewer("head");
  all.sees_all = true;
  EXPECT_THAT(Do(On(desk::MakeTicketId(clock_.Now(), 3, 7), all, desk::AddComment{"раз", false})),
              StatusIs(absl::StatusCode::kNotFound, "TICKET_NOT_FOUND"));
}

TEST_F(LedgerTest, WorkThatWaitedForMoreThanHalfOfItsTimeIsShedBeforeItIsStarted) {
  using Steady = std::chrono::steady_clock;
  const Steady::time_point start = Steady::now();
  std::atomic<Steady::duration> passed{Steady::duration::zero()};
  LedgerOptions options;
  options.executors = 1;
  options.now = [&] { return start + passed.load(); };
  const std::string id = File();
  Ledger ledger(database_.pool(), *reference_, clock_, options, [] {});
  absl::Notification holds, release, first_done, shed_done, served_done;
  std::thread hog([&] {
    EXPECT_THAT(
        pg::InTransaction(database_.pool(), {},
                          [&](pg::Tx& tx) -> absl::Status {
                            tx.RunText("SELECT 1 FROM ledger.ticket WHERE id = $1::uuid FOR UPDATE",
                                       {pg::ToParam(id)});
                            holds.Notify();
                            release.WaitForNotificationWithTimeout(absl::Seconds(9));
                            return absl::OkStatus();
                          }),
        IsOk());
  });
  holds.WaitForNotification();
  const auto comment = [&](const char* words) {
    return On(id, Agent("agent1"), desk::AddComment{words, false});
  };
  // The first keeps the executor busy; one ticket's next command waits for the next batch.
  ledger.Submit(comment("раз"), start + std::chrono::seconds(60),
                [&](absl::StatusOr<Outcome>) { first_done.Notify(); });
  EXPECT_TRUE(testing::Eventually([&] { return database_.SomebodyWaitsForALock(); }));
  absl::Status shed;
  ledger.Submit(comment("два"), start + std::chrono::seconds(10),
                [&](absl::StatusOr<Outcome> outcome) {
                  shed = outcome.status();
                  shed_done.Notify();
                });
  ledger.Submit(comment("три"), start + std::chrono::seconds(60),
                [&](absl::StatusOr<Outcome> outcome) {
                  EXPECT_THAT(outcome, IsOk());
                  served_done.Notify();
                });
  // All three were tried and are left to the thread that waits: nobody has them in hand.
  EXPECT_TRUE(testing::Eventually([&] { return ledger.Stats().deferred == 3; }));
  passed = std::chrono::seconds(6);
  release.Notify();
  first_done.WaitForNotification();
  shed_done.WaitForNotification();
  served_done.WaitForNotification();
  hog.join();
  EXPECT_THAT(shed, StatusIs(absl::StatusCode::kResourceExhausted, "OVERLOADED"));
  EXPECT_TRUE(GetErrorDetail(shed).retry_after.has_value());
  EXPECT_EQ(ledger.Stats().shed, 1);
}

TEST_F(LedgerTest, AnAgentWhoLeftTheTeamStillGivesTheSlotBack) {
  const std::string id = File();
  ASSERT_THAT(Do(On(id, desk::SystemViewer(), desk::AssignTicket{"agent1", "manual"})), IsOk());
  database_.Query("UPDATE ledger.agent_load SET cap = 0 WHERE agent_id = 'agent1'");
  ASSERT_THAT(Do(On(id, Agent("agent1"), desk::StartTicket{})), IsOk());
  ASSERT_THAT(Do(On(id, Agent("agent1"), desk::ResolveTicket{"Готово"})), IsOk());
  EXPECT_EQ(Count("agent_load WHERE active <> 0"), "0");
  // There is no slot for it any more: it waits in front for somebody else.
  const auto back = Do(On(id, Viewer("petrov"), desk::SendBackTicket{"нет"}));
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(back->ticket.state, desk::State::kQueued);
  EXPECT_TRUE(back->ticket.queue_front);
}

// A clock that went back (a failover) must not make an assignment end before it began.
TEST_F(LedgerTest, AnAssignmentNeverEndsBeforeItBegan) {
  const std::string id = File();
  ASSERT_THAT(Do(On(id, desk::SystemViewer(), desk::AssignTicket{"agent1", "manual"})), IsOk());
  clock_.Advance(-absl::Minutes(5));
  ASSERT_THAT(Do(On(id, Agent("agent1"), desk::DeclineTicket{"нет"})), IsOk());
  EXPECT_EQ(Count("assignment WHERE released_at < assigned_at"), "0");
}

// A server that accepts connections and says nothing costs its timeout once or twice a batch, not
// once a command: else a stop under load would hang for as many timeouts as calls wait.
TEST_F(LedgerTest, ADatabaseThatDoesNotAnswerIsAskedTwiceABatchAndNotOnceACommand) {
  char folder[] = "/tmp/silent-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = absl::StrCat(folder, "/.s.PGSQL.5432");
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener, 128), 0);
  pg::Pool silent({.dsn = absl::StrCat("host=", folder, " user=x dbname=x")});
  const auto start = std::chrono::steady_clock::now();
  std::atomic<int> unavailable{0};
  {
    Ledger ledger(silent, *reference_, clock_, LedgerOptions{}, [] {});
    for (int i = 0; i < 60; ++i) {
      ledger.Submit(Filing(Uuid()), start + std::chrono::minutes(5),
                    [&](const absl::StatusOr<Outcome>& outcome) {
                      unavailable += absl::IsUnavailable(outcome.status());
                    });
    }
  }
  EXPECT_EQ(unavailable, 60);
  EXPECT_LT(absl::FromChrono(std::chrono::steady_clock::now() - start),
            testing::Stretched(absl::Seconds(20)));
  close(listener);
  unlink(path.c_str());
  rmdir(folder);
}

// The answer to COMMIT is lost: the request id tells what became of it, and the caller need not
// ask.
TEST_F(LedgerTest, ALostAnswerToACommitIsFoundOutByTheRequestId) {
  std::atomic<int> cuts{0};
  const std::string filing = Uuid();
  // A twin has been filed when the connection ends just before the statement that files: to the
  // ledger it looks as if its own statement might have been it.
  pg::Pool others({.dsn = database_.dsn()});
  Ledger other(others, *reference_, clock_, LedgerOptions{}, [] {});
  pg::Pool pool({.dsn = database_.dsn(),
                 .application_name = "cut-off",
                 .before_statement = [&](const char* name) {
                   if (!absl::StrContains(name, "persist") || cuts++ > 0) return;
                   EXPECT_THAT(other.Execute(Filing(filing), std::chrono::steady_clock::now() +
                                                                 std::chrono::seconds(20)),
                               IsOk());
                   database_.Query(
                       "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                       "WHERE application_name = 'cut-off'");
                 }});
  Ledger ledger(pool, *reference_, clock_, LedgerOptions{}, [] {});
  const auto filed =
      ledger.Execute(Filing(filing), std::chrono::steady_clock::now() + std::chrono::seconds(20));
  ASSERT_THAT(filed, IsOk());
  EXPECT_TRUE(filed->replayed);
  EXPECT_EQ(cuts, 1) << "found by its request id, and not filed again";
  EXPECT_EQ(Count("ticket"), "1");
}

TEST_F(LedgerTest, WhatStoodStillBetweenReadingAndFilingIsDecidedAnew) {
  std::atomic<int> reads{0};
  std::atomic<std::chrono::seconds> stood{std::chrono::seconds(0)};
  pg::Pool pool({.dsn = database_.dsn(), .before_statement = [&](const char* name) {
                   if (!absl::StrContains(name, "find_answers")) return;
                   if (reads++ == 0) stood = std::chrono::seconds(5);
                 }});
  LedgerOptions options;
  options.now = [&] { return std::chrono::steady_clock::now() + stood.load(); };
  Ledger ledger(pool, *reference_, clock_, options, [] {});
  const auto filed =
      ledger.Execute(Filing(Uuid()), std::chrono::steady_clock::now() + std::chrono::minutes(2));
  EXPECT_THAT(filed, IsOk());
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(Count("ticket"), "1");
}

TEST_F(LedgerTest, TheMoveTableOfTheDatabaseIsTheStateMachine) {
  std::string expected;
  for (const auto& [a, b] : desk::LegalPairs()) expected += a + ">" + b + " ";
  EXPECT_EQ(
      database_.Query("SELECT string_agg(a || '>' || b || ' ', '' ORDER BY a COLLATE \"C\", b "
                      "COLLATE \"C\") FROM ledger.legal_move"),
      expected);
}

}  // namespace
}  // namespace potok::ledger
