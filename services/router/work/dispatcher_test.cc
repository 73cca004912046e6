// The routing loop as a whole: sweeps, wakes, people who leave, and load from all sides.
#include "router/work/dispatcher.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"

#include "desk/stream_names.h"
#include "desk/ticket/ids.h"
#include "platform/log/relay.h"
#include "platform/testing/signal.h"
#include "platform/testing/status_matchers.h"
#include "router/work/queue_hints.h"
#include "router/work/testing/routing_fixture.h"
#include "router/work/wake_feed.h"

namespace potok::router {
namespace {

using desk::DistributionMode;
using ::potok::testing::Eventually;
using ::potok::testing::IsOk;

class DispatcherTest : public testing::RoutingTest {
 protected:
  DispatcherTest() { dispatcher_ = Make(absl::Milliseconds(50)); }

  std::unique_ptr<Dispatcher> Make(absl::Duration sweep) {
    return std::make_unique<Dispatcher>(router_pool_, clock_, *pass_, *rehome_, metrics_,
                                        DispatcherOptions{.workers = 2, .sweep = sweep});
  }
  std::string Queued() {
    return database_.Query("SELECT count(*) FROM ledger.ticket WHERE state = 'QUEUED'");
  }
  void Settle() {
    ASSERT_THAT(dispatcher_->Sweep(), IsOk());
    // Without Start nobody works off the wakes: done here, flow by flow.
    for (const char* flow : {"it", "hr"}) {
      if (reference_->Snapshot()->Flow(flow) != nullptr) {
        ASSERT_THAT(pass_->Drain(flow), IsOk());
      }
    }
  }

  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, TheSweepAloneFindsEveryTicketWithoutAnyWake) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 100));
  Publish(Draft("hr", DistributionMode::kLeastLoaded, 100));
  Hire("it", {"a", "b"});
  Hire("hr", {"c"});
  dispatcher_->Start();
  FileMany("it", 70);
  FileMany("hr", 30);
  EXPECT_TRUE(Eventually([&] { return Queued() == "0"; }));
  dispatcher_->Stop();
  EXPECT_EQ(Broken(), "");
}

TEST_F(DispatcherTest, TheSweepVisitsEachFlowInWhichSomebodyWaitsWithItsOldestTicket) {
  for (const char* flow : {"b-two", "hr", "it", "quiet"}) {
    Publish(Draft(flow, DistributionMode::kManual, 100));
  }
  FileMany("it", 3);
  clock_.Advance(absl::Minutes(1));
  FileMany("hr", 2);
  File("b-two");
  // Nobody waits there any more, but a reason is left over.
  database_.Query(
      "INSERT INTO router.queue_entry (part, ticket_id, flow_id, reason, since) "
      "VALUES (0, gen_random_uuid(), 'quiet', 'MANUAL', now())");
  std::string visited, expected;
  ASSERT_THAT(pg::InTransaction(
                  router_pool_, {},
                  [&](pg::Tx& tx) -> absl::Status {
                    for (const FlowQueue& each : ReadFlowsToVisit(tx)) {
                      absl::StrAppend(
                          &visited, each.flow, " ",
                          each.oldest.has_value() ? absl::ToUnixMicros(*each.oldest) : 0, "\n");
                    }
                    return absl::OkStatus();
                  }),
              IsOk());
  for (const char* flow : {"b-two", "hr", "it", "quiet"}) {
    absl::StrAppend(&expected, flow, " ",
                    database_.Query(absl::StrCat(
                        "SELECT coalesce((extract(epoch FROM min(queued_at)) * 1000000)::bigint, 0)"
                        " FROM ledger.ticket WHERE state = 'QUEUED' AND flow_id = '",
                        flow, "'")),
                    "\n");
  }
  EXPECT_EQ(visited, expected);
  ASSERT_THAT(dispatcher_->Sweep(), IsOk());
  EXPECT_EQ(metrics_.unassigned.Value(), 6);
  EXPECT_GE(metrics_.unassigned_oldest_seconds.Value(), 60);
}

// One ticket that nobody can move must not hold up everyone else's.
TEST_F(DispatcherTest, ATicketThatCannotBeReturnedStopsNeitherTheOthersNorTheSweep) {
  Publish(Draft("it", DistributionMode::kRoundRobin));
  Publish(Draft("hr", DistributionMode::kRoundRobin));
  Hire("it", {"a", "b"});
  Hire("hr", {"c", "d"});
  const auto given = [&](const std::string& flow, const std::string& agent) {
    const std::string ticket = File(flow);
    EXPECT_THAT(Do(On(ticket, desk::SystemViewer(), desk::AssignTicket{agent, "manual"})), IsOk());
    return ticket;
  };
  const std::string damaged = given("it", "a"), beside = given("it", "a"), later = given("hr", "c");
  database_.Query("UPDATE ledger.ticket SET flow_version = 99 WHERE id = '" + damaged + "'");
  for (const char* agent : {"a", "c"}) {
    Leave(agent, clock_.Now() - absl::Hours(1), clock_.Now() + absl::Hours(8));
  }
  Settle();
  EXPECT_EQ(Get(damaged).assignee, "a");
  EXPECT_EQ(Get(beside).assignee, "b");
  EXPECT_EQ(Get(later).assignee, "d");
}

TEST_F(DispatcherTest, AWakeAssignsWithoutWaitingForTheSweep) {
  Publish(Draft("it", DistributionMode::kRoundRobin));
  Hire("it", {"a"});
  dispatcher_ = Make(absl::Hours(1));
  dispatcher_->Start();
  dispatcher_->WaitIdle();
  const std::string ticket = File("it");
  dispatcher_->Wake("it");
  EXPECT_TRUE(Eventually([&] { return Get(ticket).assignee == "a"; }));
}

TEST_F(DispatcherTest, AThousandTicketsOnTenAgentsWithCapThreeNeverMakeAFourth) {
  Publish(Draft("it", DistributionMode::kLeastLoaded, 3));
  std::vector<std::string> team;
  for (int i = 0; i < 10; ++i) team.push_back(absl::StrCat("agent", i));
  Hire("it", team);
  // A second replica of the router works against the first all the time.
  auto twin = Make(absl::Milliseconds(70));
  dispatcher_->Start();
  twin->Start();
  std::thread filing([&] {
    for (int i = 0; i < 20; ++i) {
      FileMany("it", 50);
      dispatcher_->Wake("it");
    }
  });
  std::atomic<int> resolved{0};
  std::atomic<bool> broken{false};
  std::vector<std::thread> people;
  for (int worker = 0; worker < 5; ++worker) {
    people.emplace_back([&, worker] {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
      while (resolved < 1000 && std::chrono::steady_clock::now() < end) {
        // The agents of this worker, so that no two people resolve one ticket.
        const std::string mine = database_.Query(absl::StrCat(
            "SELECT coalesce(string_agg(id::text, ','), '') FROM ledger.ticket WHERE state = "
            "'ASSIGNED' AND assignee IN ('agent",
            worker * 2, "','agent", worker * 2 + 1, "')"));
        for (size_t at = 0; at + 36 <= mine.size(); at += 37) {
          Resolve(mine.substr(at, 36));
          ++resolved;
        }
        dispatcher_->Wake("it");
        if (database_.Query("SELECT count(*) FROM ledger.agent_load WHERE active > 3") != "0") {
          broken = true;
        }
      }
    });
  }
  filing.join();
  for (std::thread& person : people) person.join();
  dispatcher_->Stop();
  twin->Stop();
  EXPECT_EQ(resolved, 1000);
  EXPECT_FALSE(broken);
  EXPECT_EQ(database_.Query("SELECT max(active_after) FROM ledger.assignment"), "3");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger.assignment"), "1000");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM router.decision"), "1000");
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  EXPECT_EQ(Broken(), "");
}

TEST_F(DispatcherTest, LeaveGivesTheWorkBackToTheFrontAndAWaitingTicketMovesWhenItIsResumed) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 200));
  Hire("it", {"a"});
  const auto held = FileMany("it", 120);
  Settle();
  Start(held[1]);
  ASSERT_THAT(Do(On(held[2], Agent("a", "it"), desk::WaitTicket{"Какой принтер?"})), IsOk());
  ASSERT_THAT(Do(On(held[3], Agent("a", "it"), desk::StartTicket{})), IsOk());
  Leave("a", clock_.Now(), clock_.Now() + absl::Hours(24 * 14));
  ASSERT_THAT(rehome_->Run(), IsOk());
  EXPECT_EQ(Get(held[0]).state, desk::State::kQueued);
  EXPECT_TRUE(Get(held[0]).queue_front);
  EXPECT_EQ(Get(held[1]).state, desk::State::kQueued);
  EXPECT_EQ(Get(held[2]).state, desk::State::kWaiting);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger.ticket WHERE assignee = 'a'"), "1");
  EXPECT_EQ(database_.Query(
                "SELECT active FROM ledger.agent_load WHERE agent_id = 'a' AND flow_id = 'it'"),
            "1");
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  EXPECT_EQ(Reason(held[0]), "NO_AGENT_PRESENT");

  Hire("it", {"b"});
  ASSERT_THAT(pass_->Drain("it"), IsOk());
  EXPECT_EQ(Get(held[0]).assignee, "b");
  // The answer comes: whoever lets it resume to the one on leave, the next sweep takes it from
  // there.
  ASSERT_THAT(Do(On(held[2], Agent("a", "it"), desk::ResumeTicket{})), IsOk());
  Settle();
  EXPECT_EQ(Get(held[2]).assignee, "b");
  EXPECT_EQ(Broken(), "");
}

TEST_F(DispatcherTest, OneWhoIsNoMemberAnyMoreOrHasLeftTheCompanyKeepsNothing) {
  Publish(Draft("it", DistributionMode::kRoundRobin, 10));
  Hire("it", {"gone", "removed", "stays"});
  const auto tickets = FileMany("it", 9);
  Settle();
  ASSERT_THAT(pg::InTransaction(router_pool_, {},
                                [&](pg::Tx& tx) -> absl::Status {
                                  EXPECT_TRUE(RemoveMember(tx, "it", "removed", std::nullopt));
                                  return absl::OkStatus();
                                }),
              IsOk());
  database_.Query("UPDATE intake.employee SET active = false WHERE id = 'gone'");
  Settle();
  for (const std::string& holder : Holders(tickets)) EXPECT_EQ(holder, "stays");
  EXPECT_EQ(database_.Query("SELECT cap FROM ledger.agent_load WHERE agent_id = 'removed'"), "0");
  EXPECT_EQ(Broken(), "");
}

TEST_F(DispatcherTest, AReasonDisappearsWithItsTicketHoweverItLeft) {
  Publish(Draft("it", DistributionMode::kRoundRobin));
  const std::string ticket = File("it");
  Settle();
  EXPECT_EQ(Reason(ticket), "NO_MEMBERS");
  desk::Viewer requester = Agent("zayavitel", "none");
  ASSERT_THAT(Do(On(ticket, requester, desk::CancelTicket{"не нужно"})), IsOk());
  dispatcher_->Start();  // The sweep finds the row although nothing is queued.
  EXPECT_TRUE(Eventually(
      [&] { return database_.Query("SELECT count(*) FROM router.queue_entry") == "0"; }));
}

TEST_F(DispatcherTest, TheLogWakesTheFlowOfACreatedTicket) {
  Publish(Draft("it", DistributionMode::kRoundRobin));
  Hire("it", {"a"});
  ::potok::testing::TestRedis redis;
  const auto key = [](int incarnation, int topic, int part) {
    return absl::StrCat("ev:", incarnation, ":", topic, ":", part);
  };
  log::RelayOptions relay_options;
  for (int part = 0; part < desk::kParts; ++part) relay_options.parts.push_back(part);
  relay_options.owner = log::MakeOwner();
  relay_options.stream_key = key;
  relay_options.redis.address = redis.address();
  log::Relay relay(relay_options, database_.pool());
  log::ConsumerOptions options;
  options.owner = log::MakeOwner();
  options.stream_key = key;
  options.redis.address = redis.address();
  dispatcher_ = Make(absl::Hours(1));
  pg::Pool feed_pool({.dsn = database_.dsn("potok_router"), .size = 3});
  WakeFeed feed(options, feed_pool, *dispatcher_);
  relay.Start();
  feed.Start();
  dispatcher_->Start();
  dispatcher_->WaitIdle();
  EXPECT_TRUE(Eventually(
      [&] { return feed.Stats().parts == desk::kParts && relay.Stats().parts == desk::kParts; }));
  std::vector<double> ms;
  for (int i = 0; i < 30; ++i) {
    const auto started = std::chrono::steady_clock::now();
    const std::string ticket = File("it");
    relay.Notify();
    ASSERT_TRUE(Eventually([&] { return Get(ticket).state == desk::State::kAssigned; }));
    ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started)
            .count());
    Resolve(ticket);
  }
  std::sort(ms.begin(), ms.end());
  std::cout << "create to assigned through the log: median " << ms[15] << " ms, worst " << ms[29]
            << " ms\n";
  feed.Stop();
  relay.Stop();
  dispatcher_->Stop();
}

TEST_F(DispatcherTest, AHintWakesTheFlowWithoutTheLogIfThePartIsOursAndTheFlowIsKnown) {
  POTOK_ABOUT_REDIS();
  Publish(Draft("it", DistributionMode::kRoundRobin));
  Hire("it", {"a"});
  ::potok::testing::TestRedis redis;
  dispatcher_ = Make(absl::Hours(1));
  dispatcher_->Start();
  dispatcher_->WaitIdle();
  std::atomic<int> not_ours{-1};
  ::potok::testing::Recorder<int> asked;
  QueueHints hints({.address = redis.address()},
                   [&](int part) {
                     asked.Add(part);
                     return part != not_ours;
                   },
                   *reference_, *dispatcher_, {});
  log::RemoteWake bell({.address = redis.address()}, desk::kQueuedChannel, {});
  redis::Connection connection({.address = redis.address()});
  ASSERT_TRUE(Eventually([&] {
    const auto subscribers = connection.Command({"PUBSUB", "NUMSUB", desk::kQueuedChannel});
    return subscribers.ok() && subscribers->items[1].integer == 1;
  }));
  const std::string ticket = File("it");
  const int part = *desk::PartOfTicketId(ticket);
  not_ours = part;
  bell.Notify("no word at all");
  bell.Notify(desk::MakeQueuedWord(part, "it"));
  ASSERT_TRUE(asked.WaitUntil([&](const std::vector<int>& parts) {
    return std::find(parts.begin(), parts.end(), part) != parts.end();
  }));
  bell.Notify(desk::MakeQueuedWord(part + 1, "unknown"));
  ASSERT_TRUE(asked.WaitUntil([&](const std::vector<int>& parts) {
    return std::find(parts.begin(), parts.end(), part + 1) != parts.end();
  }));
  dispatcher_->WaitIdle();
  EXPECT_EQ(Get(ticket).state, desk::State::kQueued);
  not_ours = -1;
  bell.Notify(desk::MakeQueuedWord(part, "it"));
  EXPECT_TRUE(Eventually([&] { return Get(ticket).state == desk::State::kAssigned; }));
  dispatcher_->Stop();
}

}  // namespace
}  // namespace potok::router
