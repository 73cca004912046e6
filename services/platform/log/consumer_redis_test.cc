// Redis in every state it can be in, and with whatever somebody else writes to it: nothing is lost,
// nothing is done twice, nothing spins.
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/consumer.h"
#include "platform/log/log_fixture.h"

namespace potok::log {
namespace {

using testing::Eventually;
using testing::IsOk;

class ConsumerRedisTest : public LogFixture {
 protected:
  // `versions` more of each of sixteen entities.
  void AppendMore(int versions) {
    for (int v = 0; v < versions; ++v) {
      ++version_;
      for (int e = 0; e < 16; ++e) {
        ASSERT_THAT(Append(database_.pool(), e, version_, version_), IsOk());
      }
    }
  }
  int appended() const { return version_ * 16; }
  redis::Options Impatient() const {
    return {.address = redis_.address(), .reconnect_pause = absl::ZeroDuration()};
  }
  // Counts what the consumer asks of Postgres.
  std::unique_ptr<pg::Pool> CountingPool() {
    return std::make_unique<pg::Pool>(
        pg::PoolOptions{.dsn = database_.dsn(),
                        .size = 4,
                        .on_statement = [this](const char* statement, absl::Duration, bool) {
                          if (absl::EndsWith(statement, ".places")) ++sweeps_;
                          if (absl::EndsWith(statement, ".take")) ++takes_;
                        }});
  }

  std::atomic<int> sweeps_{0}, takes_{0};

 private:
  int version_ = 0;
};

TEST_F(ConsumerRedisTest, WorksWithoutItAndPicksItUpWhenItComes) {
  POTOK_ABOUT_REDIS();
  redis_.Stop();
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  AppendMore(5);
  ASSERT_TRUE(EffectsReach(80));
  EXPECT_FALSE(consumer.Stats().redis_up);
  redis_.Start();
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  AppendMore(5);
  ASSERT_TRUE(EffectsReach(160));
  ExpectOnceAndInOrder(160);
}

TEST_F(ConsumerRedisTest, NothingIsLostOrDoubledWhileItIsFlushedKilledAndFrozen) {
  POTOK_ABOUT_REDIS();
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  std::atomic<bool> done{false};
  std::atomic<int> faults{0};
  std::thread nemesis([&] {
    std::minstd_rand random{11};
    testing::Recorder<int> never;
    while (!done) {
      switch (random() % 4) {
        case 0:
          redis_.Stop();
          never.WaitForCount(1, absl::Milliseconds(150));
          redis_.Start();
          break;
        case 1:
          redis_.Freeze();
          never.WaitForCount(1, absl::Milliseconds(300));
          redis_.Thaw();
          break;
        default: redis::Connection redis(Impatient()); (void)redis.Command({"FLUSHALL"});
      }
      ++faults;
      never.WaitForCount(1, absl::Milliseconds(100));
    }
  });
  while (faults < 20) {
    AppendMore(1);
    EXPECT_TRUE(EffectsReach(appended() - 64)) << "it stands";
  }
  done = true;
  nemesis.join();
  // A server ends with the thread that started it.
  redis_.Stop();
  redis_.Start();
  EXPECT_TRUE(EffectsReach(appended()));
  ExpectDenseAndOrdered(appended());
  ExpectOnceAndInOrder(appended());
  EXPECT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  EXPECT_EQ(consumer.Stats().phantoms, 0) << "what was lost is no phantom";
}

TEST_F(ConsumerRedisTest, AFrozenOneCostsItsTimeoutOnceAndThenOnlyProbes) {
  POTOK_ABOUT_REDIS();
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  redis_.Freeze();
  ASSERT_TRUE(Eventually([&] { return !consumer.Stats().redis_up; }));
  AppendMore(20);
  EXPECT_TRUE(EffectsReach(appended()));
  // From commit to effect, as long as it is frozen; a wait for Redis in between would show.
  std::vector<double> ms;
  for (int i = 0; i < 30; ++i) {
    const auto start = std::chrono::steady_clock::now();
    AppendMore(1);
    ASSERT_TRUE(EffectsReach(appended()));
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                     .count());
  }
  std::sort(ms.begin(), ms.end());
  std::printf("frozen Redis: 16 appends to their effects: p50 %.0f ms, max %.0f ms\n",
              ms[ms.size() / 2], ms.back());
  EXPECT_LT(ms[ms.size() / 2], 1000);
  redis_.Thaw();
  EXPECT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  ExpectOnceAndInOrder(appended());
}

TEST_F(ConsumerRedisTest, OneThatIsFullOrReadOnlyIsNoHindrance) {
  POTOK_ABOUT_REDIS();
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  AppendMore(2);
  ASSERT_TRUE(EffectsReach(appended()));
  redis::Connection redis(Impatient());
  ASSERT_THAT(redis.Command({"CONFIG", "SET", "maxmemory", "1"}), IsOk());
  AppendMore(5);
  EXPECT_TRUE(EffectsReach(appended()));
  ASSERT_THAT(redis.Command({"CONFIG", "SET", "maxmemory", "0"}), IsOk());
  // A replica of nobody reachable: reads go on, writes are refused.
  ASSERT_THAT(redis.Command({"REPLICAOF", "127.0.0.1", "1"}), IsOk());
  AppendMore(5);
  EXPECT_TRUE(EffectsReach(appended()));
  ASSERT_THAT(redis.Command({"CONFIG", "SET", "replica-serve-stale-data", "no"}), IsOk());
  ASSERT_TRUE(Eventually([&] { return !consumer.Stats().redis_up; })) << "MASTERDOWN";
  AppendMore(5);
  EXPECT_TRUE(EffectsReach(appended()));
  ASSERT_THAT(redis.Command({"REPLICAOF", "NO", "ONE"}), IsOk());
  EXPECT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  AppendMore(5);
  EXPECT_TRUE(EffectsReach(appended()));
  ExpectOnceAndInOrder(appended());
}

TEST_F(ConsumerRedisTest, ErrorsAtOnceAreNoReasonToSpin) {
  POTOK_ABOUT_REDIS();
  const auto pool = CountingPool();
  testing::Recorder<std::string> errors;
  ConsumerOptions options = ConsumerDefaults();
  options.hooks.on_error = [&](absl::string_view where, const absl::Status& status) {
    if (absl::EndsWith(where, ":redis")) errors.Add(std::string(status.message()));
  };
  Consumer consumer(options, *pool, Recording());
  consumer.Start();
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  redis::Connection redis(Impatient());
  // Every read of the group's streams fails at once from here on, however sound the connection. No
  // relay runs yet: it would give the stream another key.
  ASSERT_THAT(redis.Command({"SET", Key(1, 2, 3), "no stream"}), IsOk());
  ASSERT_TRUE(errors.WaitForCount(1));
  const auto start = std::chrono::steady_clock::now();
  const int before = sweeps_;
  ASSERT_TRUE(Eventually([&] { return sweeps_ >= before + 30; }));
  const absl::Duration took = absl::FromChrono(std::chrono::steady_clock::now() - start);
  // Each probe succeeds and each read after it fails, which adds a sweep or two to those of the
  // polling. A spin would make thirty in ten milliseconds.
  EXPECT_GT(took, absl::Seconds(1));
  EXPECT_LE(errors.size(), 3) << "said when it goes, not each time";
  StartRelay();
  AppendMore(3);
  EXPECT_TRUE(EffectsReach(appended()));
  EXPECT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  ExpectOnceAndInOrder(appended());
}

TEST_F(ConsumerRedisTest, WhateverSomebodyElseWritesChangesNothingAndIsTold) {
  POTOK_ABOUT_REDIS();
  StartRelay();
  testing::Recorder<std::string> notices;
  ConsumerOptions options = ConsumerDefaults();
  options.hooks.on_notice = [&](absl::string_view, absl::string_view what) {
    if (absl::StrContains(what, "phantom")) notices.Add(std::string(what));
  };
  Consumer consumer(options, database_.pool(), Recording());
  consumer.Start();
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  std::atomic<bool> done{false};
  std::atomic<int> acts{0};
  std::thread hostile([&] {
    redis::Connection redis(Impatient());
    std::minstd_rand random{5};
    while (!done) {
      const int topic = 1 + random() % 3, part = random() % 16;
      const std::string key =
          Key(Int(absl::StrCat("SELECT incarnation FROM ledger.part_head WHERE topic = ", topic,
                               " AND part = ", part)),
              topic, part);
      const auto last = [&] {
        return std::stoll("0" + database_.Query(absl::StrCat(
                                    "SELECT next_pos - 1 FROM ledger.part_head WHERE topic = ",
                                    topic, " AND part = ", part)));
      };
      std::vector<std::string> command;
      switch (random() % 8) {
        case 0:  // the position the relay will give next, with another entry
          command = {"XADD", key, absl::StrCat(last() + 1, "-0"), "e", Entity(77), "v", "9"};
          break;
        case 1: command = {"XADD", key, absl::StrCat(last() + 1000, "-0"), "e", "junk"}; break;
        case 2: command = {"XADD", key, absl::StrCat(last(), "-7"), "x", ""}; break;
        case 3: command = {"XADD", key, "18446744073709551615-0", "e", "junk"}; break;
        case 4: command = {"XADD", key, "*", "\xff", std::string(1000, '\0')}; break;
        case 5: command = {"XDEL", key, absl::StrCat(last(), "-0")}; break;
        case 6: command = {"XTRIM", key, "MAXLEN", "0"}; break;
        default: command = {"DEL", key};
      }
      (void)redis.Command(command);
      ++acts;
    }
  });
  while (acts < 400) {
    AppendMore(1);
    EXPECT_TRUE(EffectsReach(appended() - 160)) << "it stands";
  }
  done = true;
  hostile.join();
  EXPECT_TRUE(EffectsReach(appended()));
  ExpectDenseAndOrdered(appended());
  ExpectOnceAndInOrder(appended());
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0);
  EXPECT_GT(consumer.Stats().phantoms, 10);
  EXPECT_TRUE(Eventually(
      [&] { return static_cast<std::int64_t>(notices.size()) == consumer.Stats().phantoms; }));
}

TEST_F(ConsumerRedisTest, EachPhantomIsToldOnce) {
  POTOK_ABOUT_REDIS();
  // No relay: nobody gives the stream another key before all have been heard.
  testing::Recorder<std::string> notices;
  ConsumerOptions options = ConsumerDefaults();
  options.hooks.on_notice = [&](absl::string_view where, absl::string_view what) {
    if (absl::StrContains(what, "phantom")) notices.Add(absl::StrCat(where, ": ", what));
  };
  const auto pool = CountingPool();
  Consumer consumer(options, *pool, Recording());
  consumer.Start();
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().redis_up; }));
  redis::Connection redis(Impatient());
  for (int i = 1; i <= 100; ++i) {
    ASSERT_THAT(redis.Command({"XADD", Key(1, 2, 1), absl::StrCat(i, "-0"), "e", Entity(1), "v",
                               absl::StrCat(i)}),
                IsOk());
  }
  ASSERT_THAT(redis.Command({"XADD", Key(1, 2, 1), "100-1", "e", "x"}), IsOk());
  ASSERT_TRUE(notices.WaitForCount(101));
  const int sweeps = sweeps_;
  ASSERT_TRUE(Eventually([&] { return sweeps_ >= sweeps + 2; }));
  EXPECT_EQ(notices.size(), 101);
  EXPECT_EQ(consumer.Stats().phantoms, 101);
  EXPECT_EQ(notices.Items()[0],
            "consumer:analytics: phantom entry 1-0 in ev:1:2:1: the log ends at 0");
  EXPECT_LT(takes_, 120) << "a look each poll, not each phantom";
}

TEST_F(ConsumerRedisTest, AFullReplayFromTheFirstPositionHasNoEffect) {
  POTOK_ABOUT_REDIS();
  StartRelay();
  Consumer consumer(ConsumerDefaults(), database_.pool(), Recording());
  consumer.Start();
  AppendMore(10);
  ASSERT_TRUE(EffectsReach(appended()));
  redis::Connection redis(Impatient());
  for (int round = 0; round < 3; ++round) {
    for (int topic = 1; topic <= 3; ++topic) {
      for (int part = 0; part < 16; ++part) {
        const std::string key = Key(1, topic, part);
        ASSERT_THAT(redis.Command({"DEL", key}), IsOk());
        for (int pos = 1; pos <= 10; ++pos) {
          // The relay may be quicker: then it has refilled the stream itself.
          (void)redis.Command({"XADD", key, absl::StrCat(pos, "-0"), "e", Entity(part), "v",
                               absl::StrCat(pos), "t", "created"});
        }
      }
    }
    AppendMore(1);
    ASSERT_TRUE(EffectsReach(appended()));
  }
  ExpectOnceAndInOrder(appended());
}

}  // namespace
}  // namespace potok::log
