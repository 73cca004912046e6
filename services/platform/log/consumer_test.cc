#include "platform/log/consumer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/log_fixture.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

using testing::Eventually;
using testing::IsOk;

using ConsumerTest = LogFixture;

TEST_F(ConsumerTest, EveryEntryHasItsEffectOnceUnderFailuresTakeoversAndRedisLoss) {
  StartRelay();
  std::atomic<int> calls{0};
  const Handler flaky = [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
    const int call = ++calls;
    for (const LogEntry& entry : entries) {
      if (absl::Status status = Record(tx, "analytics", entry); !status.ok()) return status;
    }
    // After the writes: what was written must vanish with the transaction.
    if (call % 7 == 0) return absl::InternalError("a bug that comes and goes");
    if (call % 11 == 0) return absl::UnavailableError("the database went away");
    return absl::OkStatus();
  };
  ConsumerOptions options = ConsumerDefaults();
  options.batch = 20;
  options.attempts = 1000;
  options.deaths = 1000;  // Who is robbed of a lease during an attempt looks like one that died.
  Consumer one(options, database_.pool(), flaky);
  options.owner = MakeOwner();
  Consumer two(options, database_.pool(), flaky);
  one.Start();
  two.Start();
  absl::Notification done;
  std::thread chaos([&] {
    redis::Connection redis({.address = redis_.address()});
    std::minstd_rand random{7};
    do {
      // Takes leases away under running handlers: their owners become zombies that still write.
      // What a renewal holds is left to the next round: a deadlock with it would hold up all leases
      // for as long as they live.
      database_.Query(absl::StrCat(
          "UPDATE ledger.lease SET expires_at = '-infinity' WHERE name IN (SELECT name FROM "
          "ledger.lease WHERE name LIKE 'consumer:%:%' AND hashtext(name || '",
          random(), "') % 3 = 0 FOR UPDATE SKIP LOCKED)"));
      (void)redis.Command({"FLUSHALL"});
    } while (!done.WaitForNotificationWithTimeout(testing::Stretched(absl::Milliseconds(50))));
  });
  const int entries = 64 * 30;
  for (int version = 1; version <= 30; ++version) {
    for (int e = 0; e < 64; ++e) ASSERT_THAT(Append(database_.pool(), e, version, version), IsOk());
  }
  EXPECT_TRUE(EffectsReach(entries)) << Int("SELECT count(*) FROM public.effect");
  done.Notify();
  chaos.join();
  one.Stop();
  two.Stop();
  ExpectDenseAndOrdered(entries);
  ExpectOnceAndInOrder(entries);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
  EXPECT_GT(one.Stats().failures + two.Stats().failures, 0);
  EXPECT_GT(Int("SELECT count(*) FROM ledger.lease_log WHERE epoch > 1"), 16) << "no takeovers";
}

TEST_F(ConsumerTest, OwnerThatLostItsTokenChangesNothing) {
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  ASSERT_TRUE(EffectsReach(1));
  database_.Query(
      "UPDATE ledger.consumer_offset SET token = gen_random_uuid() WHERE part = 1 AND grp = "
      "'analytics'");
  ASSERT_THAT(Append(database_.pool(), 1, 2, 9), IsOk());
  ASSERT_THAT(Append(database_.pool(), 2, 1, 5), IsOk());
  ASSERT_TRUE(EffectsReach(6));
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().refused > 0; }));
  EXPECT_EQ(Int("SELECT count(*) FROM public.effect WHERE part = 1"), 1);
}

TEST_F(ConsumerTest, EntriesATwinHasPassedAreNotHandledAgain) {
  StartRelay();
  std::atomic<int> calls{0};
  ConsumerOptions options = ConsumerDefaults();
  options.lease_times.ttl = absl::Minutes(1);
  Consumer consumer(options, database_.pool(),
                    [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
                      ++calls;
                      return Recording()(tx, entries);
                    });
  consumer.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  ASSERT_TRUE(EffectsReach(1));
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().handled == 1; }));
  // A twin has handled entry 2 already and moved the offset; the token is still ours.
  database_.Query(
      "UPDATE ledger.consumer_offset SET pos = 2 WHERE part = 1 AND topic = 2 AND grp = "
      "'analytics'");
  ASSERT_THAT(Append(database_.pool(), 1, 2, 3), IsOk());
  ASSERT_TRUE(EffectsReach(2));
  EXPECT_EQ(database_.Query("SELECT string_agg(pos::text, ',' ORDER BY pos) FROM public.effect"),
            "1,3");
}

TEST_F(ConsumerTest, TwinUnderTheSameTokenGetsNothingOfWhatIsBeingHandled) {
  StartRelay();
  std::thread twin;
  std::atomic<int> twin_took{-1};
  std::atomic<bool> started{false};
  Consumer consumer(
      ConsumerDefaults(), database_.pool(),
      [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
        if (!started.exchange(true)) {
          const std::string token = database_.Query(
              "SELECT token FROM ledger.consumer_offset WHERE grp = 'analytics' AND topic = 2 AND "
              "part = 1");
          twin = std::thread([&, token] {
            const auto took =
                pg::InTransaction(database_.pool(), {}, [&](pg::Tx& other) -> absl::StatusOr<int> {
                  return static_cast<int>(
                      other.Run(sql::kTake, "analytics", "{2}", "{1}", pg::TextArray({token}), 100)
                          .size());
                });
            twin_took = took.ok() ? *took : -2;
          });
          // The twin has read the old offset and now waits for this transaction's row lock.
          Eventually([&] { return database_.SomebodyWaitsForALock(); });
        }
        return Recording()(tx, entries);
      });
  consumer.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 5), IsOk());
  ASSERT_TRUE(EffectsReach(5));
  twin.join();
  EXPECT_EQ(twin_took.load(), 0);
  ExpectOnceAndInOrder(5);
}

TEST_F(ConsumerTest, DatabaseTroubleIsNoFaultOfTheEntryAndNeverParksIt) {
  StartRelay();
  std::atomic<int> calls{0};
  ConsumerOptions options = ConsumerDefaults();
  Consumer consumer(options, database_.pool(),
                    [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
                      if (++calls <= 8) return absl::UnavailableError("database away");
                      return Recording()(tx, entries);
                    });
  consumer.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  EXPECT_TRUE(EffectsReach(1));
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
}

// A release that came before its migration must not park its way through the log.
TEST_F(ConsumerTest, AMissingTableStopsTheGroupInsteadOfParkingEntries) {
  StartRelay();
  std::atomic<int> calls{0};
  Consumer consumer(ConsumerDefaults(), database_.pool(),
                    [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
                      ++calls;
                      tx.RunText("SELECT 1 FROM public.of_the_next_migration");
                      return Recording()(tx, entries);
                    });
  consumer.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 3), IsOk());
  ASSERT_TRUE(testing::Eventually([&] { return calls > 7; }));
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
  database_.Query("CREATE TABLE public.of_the_next_migration ()");
  EXPECT_TRUE(EffectsReach(3));
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
}

// Crashes of the server in the middle of the stream: relay and consumer come back by themselves.
TEST_F(ConsumerTest, EveryEntryHasItsEffectOnceWhenPostgresCrashes) {
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  int appended = 0;
  for (int crash = 0; crash < 2; ++crash) {
    for (int version = 1; version <= 20; ++version) {
      if (version == 10) {
        ASSERT_TRUE(EffectsReach(1));
        // Without fsync a crash may cost what was not on disk: that is the test server's, not ours.
        database_.Query("CHECKPOINT");
        if (!testing::TestStack::Get().RestartPostgres()) GTEST_SKIP() << "the server is shared";
      }
      absl::Status done;
      // Not in doubt: nothing else writes, so a lost answer can only be one to BEGIN.
      ASSERT_TRUE(testing::Eventually([&] {
        done = Append(database_.pool(), 30 + crash, version, version);
        return !absl::IsUnavailable(done);
      }));
      ASSERT_THAT(done, IsOk());
      ++appended;
    }
  }
  EXPECT_TRUE(EffectsReach(appended));
  ExpectDenseAndOrdered(appended);
  ExpectOnceAndInOrder(appended);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
}

TEST_F(ConsumerTest, TheGrantsOfEachServiceSuffice) {
  StartRelay();
  testing::Recorder<std::string> errors;
  std::vector<std::unique_ptr<pg::Pool>> pools;
  std::vector<std::unique_ptr<Consumer>> consumers;
  const std::pair<std::string, std::string> services[] = {{"router", "potok_router"},
                                                          {"sla", "potok_sla_timer"},
                                                          {"notifier", "potok_notifier"},
                                                          {"analytics", "potok_analytics"}};
  for (const auto& [group, role] : services) {
    ConsumerOptions options = ConsumerDefaults(group);
    if (group == "router") options.topics = {1, 2};
    options.hooks.on_error = [&](absl::string_view where, const absl::Status& status) {
      if (absl::EndsWith(where, ":redis")) return;  // Not a matter of grants.
      errors.Add(absl::StrCat(where, ": ", status.message(), " ", pg::Cause(status)));
    };
    pools.push_back(
        std::make_unique<pg::Pool>(pg::PoolOptions{.dsn = database_.dsn(role), .size = 3}));
    consumers.push_back(std::make_unique<Consumer>(options, *pools.back(), Recording(group)));
    consumers.back()->Start();
  }
  for (int e = 0; e < 3; ++e) ASSERT_THAT(Append(database_.pool(), e, 1, 10), IsOk());
  EXPECT_TRUE(EffectsReach(110)) << "three groups see 30 entries, the router 20";
  consumers.clear();
  EXPECT_THAT(errors.Items(), ::testing::IsEmpty());
}

TEST_F(ConsumerTest, StopsWithinASecond) {
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  // In a read of Redis, where there is one: that must not hold the stop up.
  ASSERT_TRUE(Eventually([&] {
    return testing::TestRedis::Absent() ? consumer.Stats().parts > 0 : consumer.Stats().redis_up;
  }));
  const auto start = std::chrono::steady_clock::now();
  consumer.Stop();
  EXPECT_LT(absl::FromChrono(std::chrono::steady_clock::now() - start),
            testing::Stretched(absl::Seconds(1)));
}

// Prints the way from a committed event to its handler. Nobody looks without being woken: a wake
// that was lost is never made good for.
TEST_F(ConsumerTest, EventReachesTheHandlerWithoutWaitingForAPoll) {
  POTOK_ABOUT_REDIS();
  RelayOptions relaying = RelayDefaults();
  relaying.busy_poll = relaying.idle_poll = absl::Hours(1);
  relay_ = std::make_unique<Relay>(relaying, database_.pool(24));
  relay_->Start();
  testing::Recorder<std::chrono::steady_clock::time_point> handled;
  ConsumerOptions options = ConsumerDefaults();
  options.sweep = absl::Hours(1);
  Consumer consumer(options, database_.pool(),
                    [&](pg::Tx&, const std::vector<LogEntry>& entries) -> absl::Status {
                      for (size_t i = 0; i < entries.size(); ++i) {
                        handled.Add(std::chrono::steady_clock::now());
                      }
                      return absl::OkStatus();
                    });
  consumer.Start();
  ASSERT_TRUE(Eventually([&] {
    return consumer.Stats().redis_up && relay_->Stats().redis_up && relay_->Stats().parts == 16;
  }));
  std::vector<double> ms;
  for (int i = 1; i <= 300; ++i) {
    ASSERT_THAT(Append(database_.pool(), i % 16, i, i), IsOk());
    const auto committed = std::chrono::steady_clock::now();
    relay_->Notify();
    ASSERT_TRUE(handled.WaitForCount(i));
    ms.push_back(
        std::chrono::duration<double, std::milli>(handled.Items().back() - committed).count());
  }
  std::sort(ms.begin(), ms.end());
  std::printf("commit -> handler: p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms\n",
              ms[ms.size() / 2], ms[ms.size() * 95 / 100], ms[ms.size() * 99 / 100], ms.back());
}

TEST_F(ConsumerTest, WhatFollowsABatchWithinThePaceIsOneBatch) {
  StartRelay();
  testing::Recorder<int> batches;
  ConsumerOptions options = ConsumerDefaults();
  options.pace = absl::Seconds(2);
  options.hooks.on_batch = [&](absl::string_view where, int entries, absl::Duration) {
    if (absl::StartsWith(where, "consumer:")) batches.Add(entries);
  };
  Consumer consumer(options, database_.pool(), Recording());
  consumer.Start();
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().parts == 16; }));
  for (int i = 1; i <= 40; ++i) {
    ASSERT_THAT(Append(database_.pool(), i % 16, i, i), IsOk());
    relay_->Notify();
    // Each by itself: the relay, too, has moved one before the next is there.
    ASSERT_TRUE(Eventually([&] { return relay_->Stats().sequenced == i; }));
  }
  EXPECT_TRUE(EffectsReach(40));
  ExpectOnceAndInOrder(40);
  EXPECT_LT(batches.size(), 10) << "about one in two seconds";
}

// Prints how fast a backlog drains: set-based moves must not cost a round trip per entry.
TEST_F(ConsumerTest, BacklogDrainsInBatches) {
  constexpr int kEntries = 40'000;
  database_.Query(absl::StrCat(
      "INSERT INTO ledger.outbox (part, topic, entity, version, type) SELECT i % 16, 1 + i % 3, "
      "gen_random_uuid(), 1, 'created' FROM generate_series(1, ",
      kEntries, ") i"));
  const auto seconds_since = [](std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  auto start = std::chrono::steady_clock::now();
  StartRelay();
  ASSERT_TRUE(Eventually([&] { return relay_->Stats().sequenced == kEntries; }));
  const double sequencing = seconds_since(start);
  std::atomic<int> handled{0};
  Consumer consumer(ConsumerDefaults(), database_.pool(),
                    [&](pg::Tx&, const std::vector<LogEntry>& entries) -> absl::Status {
                      handled += static_cast<int>(entries.size());
                      return absl::OkStatus();
                    });
  start = std::chrono::steady_clock::now();
  consumer.Start();
  ASSERT_TRUE(Eventually([&] { return handled == kEntries; }));
  const double consuming = seconds_since(start);
  std::printf("backlog: sequenced %.0f entries/s, consumed %.0f entries/s\n", kEntries / sequencing,
              kEntries / consuming);
}

}  // namespace
}  // namespace potok::log
