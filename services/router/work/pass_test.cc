// One flow, pass by pass: who gets what, why the rest waits, and what is stored about it.
#include "router/work/pass.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "gmock/gmock.h"

#include "desk/ticket/ids.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"
#include "router/domain/decision_text.h"
#include "router/work/testing/routing_fixture.h"

namespace potok::router {
namespace {

using desk::DistributionMode;
using ::potok::testing::IsOk;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class PassTest : public testing::RoutingTest {
 protected:
  PassResult Drain(const std::string& flow) {
    const auto result = pass_->Drain(flow);
    EXPECT_THAT(result, IsOk());
    return result.value_or(PassResult{});
  }
  std::map<std::string, int> Spread(const std::vector<std::string>& tickets) {
    std::map<std::string, int> counts;
    for (const std::string& holder : Holders(tickets)) ++counts[holder];
    return counts;
  }
};

TEST_F(PassTest, TheAgentWithThreeActiveRequestsIsPassedOverAndTheDecisionSaysSo) {
  Publish(Draft("buh", DistributionMode::kRoundRobin));
  Hire("buh", {"ivanova"});
  for (const std::string& ticket : FileMany("buh", 3)) (void)ticket;
  EXPECT_EQ(Drain("buh").assigned, 3);
  Hire("buh", {"petrov"});
  const std::string ticket = File("buh");
  EXPECT_EQ(Drain("buh").assigned, 1);
  EXPECT_EQ(Get(ticket).assignee, "petrov");
  const auto decisions = Decisions(ticket);
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].version, 2);
  const StoredDecision& stored = decisions[0].stored;
  ASSERT_EQ(stored.decision.verdicts.size(), 2u);
  EXPECT_EQ(stored.decision.verdicts[0].employee, "ivanova");
  EXPECT_EQ(stored.decision.verdicts[0].reason, desk::VerdictReason::kAtCap);
  EXPECT_EQ(stored.decision.verdicts[0].active, 3);
  const Words words = SummaryOf(stored, [](const std::string& id) { return id; });
  EXPECT_THAT(words.ru, AllOf(HasSubstr("petrov"), HasSubstr("ivanova (3 из 3 активных заявок)")));
  EXPECT_EQ(Broken(), "");
}

TEST_F(PassTest, RoundRobinSpreadsToWithinOneOverManyPasses) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 100));
  Hire("it", {"a", "b", "c", "d", "e", "f", "g"});
  std::vector<std::string> tickets;
  for (const int burst : {1, 7, 23, 2, 60, 11}) {
    const auto filed = FileMany("it", burst);
    tickets.insert(tickets.end(), filed.begin(), filed.end());
    Drain("it");
  }
  const auto spread = Spread(tickets);
  EXPECT_EQ(spread.size(), 7u);
  const auto [least, most] =
      std::minmax_element(spread.begin(), spread.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_LE(most->second - least->second, 1);
}

TEST_F(PassTest, TheLeastLoadedGetsIt) {
  Publish(Draft("it", DistributionMode::kLeastLoaded, 10));
  Hire("it", {"a", "b"});
  const auto first = FileMany("it", 4);
  Drain("it");
  EXPECT_EQ(Spread(first), (std::map<std::string, int>{{"a", 2}, {"b", 2}}));
  for (const std::string& ticket : first) {
    if (Get(ticket).assignee == "b") Resolve(ticket);
  }
  const auto next = FileMany("it", 2);
  Drain("it");
  EXPECT_EQ(Spread(next), (std::map<std::string, int>{{"b", 2}}));
}

TEST_F(PassTest, NobodyPresentIsAReasonAndWhoComesOnlineDrainsTheQueue) {
  Publish(Draft("hr", DistributionMode::kRoundRobin));
  Hire("hr", {"ivanova"});
  Say("ivanova", kAway);
  const std::string ticket = File("hr");
  EXPECT_EQ(Drain("hr").reasons, 1);
  EXPECT_EQ(Reason(ticket), "NO_AGENT_PRESENT");
  EXPECT_EQ(Drain("hr").reasons, 0);  // The reason stands: nothing is written again.
  Say("ivanova", kOnline);
  EXPECT_EQ(Drain("hr").assigned, 1);
  EXPECT_EQ(Reason(ticket), "");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM router.queue_entry"), "0");
}

TEST_F(PassTest, AFlowWithoutMembersSaysSo) {
  Publish(Draft("hr", DistributionMode::kRoundRobin));
  const std::string ticket = File("hr");
  Drain("hr");
  EXPECT_EQ(Reason(ticket), "NO_MEMBERS");
}

TEST_F(PassTest, EveryTicketBeyondTheCapsHasItsReasonAndTheNextOneFreedIsDrained) {
  Publish(Draft("it", DistributionMode::kRoundRobin));
  Hire("it", {"a", "b"});
  const auto tickets = FileMany("it", 130);
  EXPECT_EQ(Drain("it").assigned, 6);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM router.queue_entry WHERE reason = 'ALL_AT_CAP'"),
            "124");
  EXPECT_EQ(Broken(), "");
  for (const std::string& ticket : tickets) {
    if (Get(ticket).state == desk::State::kAssigned) {
      Resolve(ticket);
      break;
    }
  }
  EXPECT_EQ(Drain("it").assigned, 1);
  EXPECT_EQ(Broken(), "");
}

TEST_F(PassTest, TicketsNobodyCanTakeDoNotStandInTheWay) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 200));
  Hire("it", {"lone"});
  const auto stuck = FileMany("it", 60);
  Drain("it");
  for (const std::string& ticket : stuck) {
    ASSERT_THAT(Do(On(ticket, Agent("lone", "it"), desk::DeclineTicket{"не моё"})), IsOk());
  }
  Drain("it");
  EXPECT_EQ(Reason(stuck[59]), "ALL_DECLINED");
  const std::string fresh = File("it");
  EXPECT_EQ(Drain("it").assigned, 1);
  EXPECT_EQ(Get(fresh).assignee, "lone");
}

TEST_F(PassTest, ManualAndSelfPickNeverAssignAndSayWhy) {
  Publish(Draft("man", DistributionMode::kManual));
  Publish(Draft("pick", DistributionMode::kSelfPick));
  Hire("man", {"a"});
  Hire("pick", {"a"});
  const std::string manual = File("man"), pick = File("pick");
  EXPECT_EQ(Drain("man").assigned + Drain("pick").assigned, 0);
  EXPECT_EQ(Reason(manual), "MANUAL");
  EXPECT_EQ(Reason(pick), "SELF_PICK");
}

TEST_F(PassTest, OutsideWorkingHoursTicketsWaitForTheMorning) {
  desk::Flow flow = Draft("hr", DistributionMode::kRoundRobin);
  flow.options.working_hours_only = true;
  Publish(flow);
  Hire("hr", {"ivanova"});
  clock_.Advance(-absl::Hours(2));  // Seven in the morning.
  const std::string ticket = File("hr");
  Drain("hr");
  EXPECT_EQ(Reason(ticket), "OUT_OF_HOURS");
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(Drain("hr").assigned, 1);
}

TEST_F(PassTest, DeclaredPresenceEndsAtItsInstant) {
  Publish(Draft("hr", DistributionMode::kRoundRobin));
  Hire("hr", {"ivanova"});
  ASSERT_THAT(pg::InTransaction(router_pool_, {},
                                [&](pg::Tx& tx) {
                                  WritePresence(tx, "ivanova", kOnline,
                                                clock_.Now() + absl::Minutes(5), clock_.Now(), "t");
                                  return absl::OkStatus();
                                }),
              IsOk());
  const std::string before = File("hr");
  Drain("hr");
  EXPECT_EQ(Get(before).assignee, "ivanova");
  clock_.Advance(absl::Minutes(5));
  const std::string after = File("hr");
  Drain("hr");
  EXPECT_EQ(Reason(after), "NO_AGENT_PRESENT");
}

TEST_F(PassTest, APublishedChangeOfTheCapReachesTheLoadRows) {
  desk::Flow flow = Draft("it", DistributionMode::kRoundRobin, 1);
  Publish(flow);
  Hire("it", {"a"});
  FileMany("it", 3);
  EXPECT_EQ(Drain("it").assigned, 1);
  flow.version = 2;
  flow.options.max_active = 2;
  Publish(flow);
  EXPECT_EQ(Drain("it").assigned, 1);
  flow.version = 3;
  flow.options.max_active = 1;  // Below what they hold: only new work stops.
  Publish(flow);
  EXPECT_EQ(Drain("it").assigned, 0);
  EXPECT_EQ(Broken(), "");
}

TEST_F(PassTest, ThePriorityOrderIsThatOfThePolicyWithAgeing) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 1));
  Hire("it", {"a"});
  Say("a", kOffline);
  const std::string old = File("it");
  const std::string urgent = File("it");
  ASSERT_THAT(Do(On(urgent, desk::SystemViewer(), desk::ChangePriority{1, ""})), IsOk());
  Say("a", kOnline);
  Drain("it");
  EXPECT_EQ(Get(urgent).assignee, "a");
  Resolve(urgent);
  clock_.Advance(absl::Minutes(90));  // Three steps of ageing for the old one.
  const std::string rival = File("it");
  ASSERT_THAT(Do(On(rival, desk::SystemViewer(), desk::ChangePriority{2, ""})), IsOk());
  Drain("it");
  EXPECT_EQ(Get(old).assignee, "a");
}

TEST_F(PassTest, ALineAnEscalationAskedForIsMadeByTheNextPass) {
  Publish(Draft("it", DistributionMode::kRoundRobin));
  Hire("it", {"first"}, 1);
  Hire("it", {"second"}, 2);
  const std::string ticket = File("it");
  Drain("it");
  ASSERT_EQ(Get(ticket).assignee, "first");
  // The term runs out, and half an hour of work later the policy asks for the next line.
  clock_.SetTime(*Get(ticket).sla.due_at);
  ASSERT_THAT(Do(On(ticket, desk::SystemViewer(),
                    desk::FireTimer{desk::TimerKind::kBreach, Get(ticket).sla.gen})),
              IsOk());
  clock_.Advance(absl::Hours(24));
  ASSERT_THAT(Do(On(ticket, desk::SystemViewer(),
                    desk::FireTimer{desk::TimerKind::kEscalate, Get(ticket).sla.gen * 16})),
              IsOk());
  ASSERT_EQ(Get(ticket).pending_line, 2);
  const PassResult result = Drain("it");
  EXPECT_EQ(result.moved, 1);
  EXPECT_EQ(result.assigned, 1);
  const desk::Ticket moved = Get(ticket);
  EXPECT_EQ(moved.line, 2);
  EXPECT_EQ(moved.pending_line, 0);
  EXPECT_EQ(moved.assignee, "second");
  EXPECT_EQ(Broken(), "");
}

TEST_F(PassTest, EveryStoredDecisionReplaysToTheLastBit) {
  Publish(Draft("it", DistributionMode::kLeastLoaded, 4));
  Hire("it", {"a", "b", "c", "d", "e"});
  Leave("c", clock_.Now() - absl::Hours(1), clock_.Now() + absl::Hours(1));
  Say("d", kAway);
  std::vector<std::string> tickets = FileMany("it", 12);
  Drain("it");
  ASSERT_THAT(Do(On(tickets[0], Agent(Get(tickets[0]).assignee, "it"), desk::DeclineTicket{"нет"})),
              IsOk());
  Say("d", kOnline);
  const auto more = FileMany("it", 8);
  tickets.insert(tickets.end(), more.begin(), more.end());
  Drain("it");
  int replayed = 0;
  for (const std::string& ticket : tickets) {
    for (const FoundDecision& found : Decisions(ticket)) {
      EXPECT_THAT(Replay(found.stored), IsOk());
      ++replayed;
    }
  }
  EXPECT_EQ(std::to_string(replayed),
            database_.Query("SELECT count(*) FROM ledger.ticket_event WHERE type = 'assigned'"));
  EXPECT_GE(replayed, 16);
}

TEST_F(PassTest, APassWaitsOnlyForThoseItChooses) {
  Publish(Draft("it", DistributionMode::kRoundRobin));
  Hire("it", {"a", "b", "c"});
  const std::string ticket = File("it");
  const absl::Status held =
      pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
        tx.Exec("SELECT FROM ledger.agent_load WHERE agent_id IN ('b','c') FOR UPDATE");
        return pass_->Run("it").status();
      });
  EXPECT_THAT(held, IsOk());
  EXPECT_EQ(Get(ticket).assignee, "a");
}

TEST_F(PassTest, WhoFillsUpBeforeTheLockIsPassedOverAndThenAllWhoCouldBeChosenAreLocked) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 1));
  Hire("it", {"a", "b", "c"});
  const std::string ticket = File("it");
  absl::StatusOr<PassResult> result = absl::UnknownError("not yet");
  std::thread pass;
  const auto waits = [&] { return database_.SomebodyWaitsForALock(); };
  const auto fill_up = [&](pg::Tx& tx) -> absl::Status {
    tx.Exec("UPDATE ledger.agent_load SET active = 1 WHERE agent_id = 'a' AND flow_id = 'it'");
    pass = std::thread([&] { result = pass_->Run("it"); });
    EXPECT_TRUE(::potok::testing::Eventually(waits));
    return absl::OkStatus();
  };
  const auto hold_another = [&](pg::Tx& tx) -> absl::Status {
    tx.Exec("SELECT FROM ledger.agent_load WHERE agent_id = 'c' FOR UPDATE");
    EXPECT_THAT(pg::InTransaction(database_.pool(), {}, fill_up), IsOk());
    // Now for c, who is not the one to be chosen.
    EXPECT_TRUE(::potok::testing::Eventually(waits));
    return absl::OkStatus();
  };
  const absl::Status filled = pg::InTransaction(database_.pool(), {}, hold_another);
  pass.join();
  ASSERT_THAT(filled, IsOk());
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(Get(ticket).assignee, "b");
  const auto decisions = Decisions(ticket);
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].stored.decision.verdicts[0].reason, desk::VerdictReason::kAtCap);
  EXPECT_THAT(Replay(decisions[0].stored), IsOk());
}

TEST_F(PassTest, AFlowNobodyPublishedIsAnErrorAndNotACrash) {
  EXPECT_THAT(pass_->Run("ghost"), ::potok::testing::StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(PassTest, ALongQueueIsExplainedPageByPageWhateverHappensInIt) {
  constexpr int kTickets = 23;
  Pass paged(router_pool_, *reference_, clock_, metrics_, {}, /*reason_page=*/3);
  const auto look = [&] {
    const auto result = paged.Run("hr");
    EXPECT_THAT(result, IsOk());
    return result.value_or(PassResult{});
  };
  const auto with = [&](const std::string& reason) {
    return database_.Query("SELECT count(*) FROM router.queue_entry WHERE reason = '" + reason +
                           "'");
  };
  Publish(Draft("hr", DistributionMode::kRoundRobin, 1000));
  // In the middle, more of one instant than a page holds.
  std::vector<std::string> tickets;
  for (int i = 0; i < 10; ++i) tickets.push_back(File("hr"));
  for (const std::string& ticket : FileMany("hr", 5)) tickets.push_back(ticket);
  for (int i = 0; i < 8; ++i) tickets.push_back(File("hr"));
  ASSERT_EQ(tickets.size(), size_t{kTickets});
  EXPECT_EQ(look().reasons, 6 - 1) << "two pages that share a ticket";
  int looks = 1;
  while (look().more && looks < 2 * kTickets) ++looks;
  EXPECT_EQ(with("NO_MEMBERS"), std::to_string(kTickets))
      << "a page that changed asks for the next";

  // What changed anywhere is found by looks that nothing asks for, each a page further.
  database_.Query("DELETE FROM router.queue_entry WHERE ticket_id = '" + tickets[0] + "'");
  database_.Query("UPDATE router.queue_entry SET reason = 'MANUAL' WHERE ticket_id = '" +
                  tickets[11] + "'");
  for (int i = 0; i < kTickets; ++i) look();
  EXPECT_EQ(with("NO_MEMBERS"), std::to_string(kTickets));

  Hire("hr", {"ivanova"});
  Say("ivanova", kAway);
  for (int i = 0; i < kTickets; ++i) look();
  EXPECT_EQ(with("NO_AGENT_PRESENT"), std::to_string(kTickets));

  Say("ivanova", kOnline);
  for (int i = 0; i < kTickets; ++i) look();
  EXPECT_EQ(database_.Query("SELECT count(*) FROM router.queue_entry"), "0");
}

// Each burst begins a walk anew from the top; what the last one had not reached must not wait for
// the sweeps, a page a second.
TEST_F(PassTest, WhatABurstCutsOffIsExplainedAfterIt) {
  Pass paged(router_pool_, *reference_, clock_, metrics_, {}, /*reason_page=*/3);
  Publish(Draft("hr", DistributionMode::kRoundRobin, 1000));
  int filed = 0;
  for (int burst = 0; burst < 4; ++burst) {
    for (int i = 0; i < 12; ++i, ++filed) File("hr");
    ASSERT_THAT(paged.Run("hr"), IsOk());
  }
  ASSERT_THAT(paged.Drain("hr"), IsOk());
  EXPECT_EQ(database_.Query("SELECT count(*) FROM router.queue_entry"), std::to_string(filed));
}

TEST_F(PassTest, WhatChangedForAllIsWrittenForAllThoughABurstCameInBetween) {
  Pass paged(router_pool_, *reference_, clock_, metrics_, {}, /*reason_page=*/3);
  Publish(Draft("hr", DistributionMode::kRoundRobin, 1000));
  for (int i = 0; i < 40; ++i) File("hr");
  ASSERT_THAT(paged.Drain("hr"), IsOk());
  Hire("hr", {"ivanova"});
  Say("ivanova", kAway);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(paged.Run("hr"), IsOk());
  for (int i = 0; i < 5; ++i) File("hr");
  int passes = 0;
  for (auto result = paged.Run("hr"); result.ok() && result->more && passes < 100; ++passes) {
    result = paged.Run("hr");
  }
  EXPECT_EQ(
      database_.Query("SELECT reason || ' ' || count(*) FROM router.queue_entry GROUP BY reason"),
      "NO_AGENT_PRESENT 45");
}

// What is committed after others that were queued later appears among pages that are explained.
TEST_F(PassTest, WhatAppearsAmongExplainedTicketsIsExplainedBySweepsAndNotWhenTheWalkComesBy) {
  constexpr int kTickets = 160;  // Three steps of a search.
  Pass paged(router_pool_, *reference_, clock_, metrics_, {}, /*reason_page=*/3);
  Publish(Draft("hr", DistributionMode::kRoundRobin, 1000));
  std::vector<std::string> tickets;
  for (int i = 0; i < kTickets; ++i) tickets.push_back(File("hr"));
  ASSERT_THAT(paged.Drain("hr"), IsOk());
  const auto forget = [&](int ticket) {
    database_.Query("DELETE FROM router.queue_entry WHERE ticket_id = '" + tickets[ticket] + "'");
  };
  const auto explained = [&] { return database_.Query("SELECT count(*) FROM router.queue_entry"); };
  for (const int late : {5, 80, 155}) forget(late);
  constexpr int kSteps = 1 + kTickets / (kPagesSearched * 3) + 3;  // Once down, and one for each.
  for (int sweep = 0; sweep < kSteps; ++sweep) {
    ASSERT_THAT(paged.Run("hr", /*thorough=*/true), IsOk());
  }
  EXPECT_EQ(explained(), std::to_string(kTickets));

  // What was searched to the end and is older than any commit that may still come is not searched
  // again: there the walk comes by.
  for (int sweep = 0; sweep < kSteps; ++sweep) ASSERT_THAT(paged.Run("hr", true), IsOk());
  clock_.Advance(absl::Minutes(10));
  for (int sweep = 0; sweep < kSteps; ++sweep) ASSERT_THAT(paged.Run("hr", true), IsOk());
  for (const int late : {5, 60, 110}) forget(late);
  for (int sweep = 0; sweep < kSteps; ++sweep) ASSERT_THAT(paged.Run("hr", true), IsOk());
  EXPECT_LE(std::stoi(explained()), kTickets - 2) << "the walk may have come to one of them";
  for (int look = 0; look < kTickets; ++look) ASSERT_THAT(paged.Run("hr"), IsOk());
  EXPECT_EQ(explained(), std::to_string(kTickets));
}

TEST_F(PassTest, FiftyTicketsAreOnePass) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 1000));
  std::vector<std::string> team;
  for (int i = 0; i < 10; ++i) team.push_back("agent" + std::to_string(i));
  Hire("it", team);
  FileMany("it", 500);
  std::vector<double> ms;
  for (bool more = true; more;) {
    const auto started = std::chrono::steady_clock::now();
    const auto result = pass_->Run("it");
    ASSERT_THAT(result, IsOk());
    more = result->more;
    if (result->assigned == Pass::kBatch) {
      ms.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started)
              .count());
    }
  }
  ASSERT_EQ(ms.size(), 10u);
  std::sort(ms.begin(), ms.end());
  RecordProperty("median_us_for_50", static_cast<int>(ms[5] * 1000));
  std::cout << "pass of 50 tickets over 10 agents: median " << ms[5] << " ms, worst " << ms[9]
            << " ms\n";
}

}  // namespace
}  // namespace potok::router
