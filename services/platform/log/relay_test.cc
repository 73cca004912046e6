#include "platform/log/relay.h"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/log_fixture.h"
#include "platform/log/sql.h"
#include "platform/log/wake.h"

namespace potok::log {
namespace {

using testing::Eventually;
using testing::IsOk;

class RelayTest : public LogFixture {
 protected:
  // Entries of all streams that Redis holds under the current incarnations.
  int InRedis() {
    redis::Connection redis({.address = redis_.address(), .reconnect_pause = absl::ZeroDuration()});
    int entries = 0;
    for (int topic = 1; topic <= 3; ++topic) {
      for (int part = 0; part < 16; ++part) {
        const int incarnation = Int(absl::StrCat(
            "SELECT incarnation FROM ledger.part_head WHERE topic=", topic, " AND part=", part));
        const auto length = redis.Command({"XLEN", Key(incarnation, topic, part)});
        if (length.ok()) entries += static_cast<int>(length->integer);
      }
    }
    return entries;
  }
  void AppendFromThreads(int threads, int entities, int versions) {
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&, t] {
        for (int version = 1; version <= versions; ++version) {
          for (int e = t; e < entities; e += threads) {
            EXPECT_THAT(Append(database_.pool(), e, version, version), IsOk());
          }
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
  }
  bool Sequenced(int entries, absl::Duration patience = testing::kPatience) {
    return Eventually([&] { return Int("SELECT count(*) FROM ledger.event_log") == entries; },
                      patience);
  }
};

TEST_F(RelayTest, PositionsAreDenseAndOrderedWhileWritersRunAndRedisIsFlushed) {
  Relay relay(RelayDefaults(), database_.pool());
  relay.Start();
  std::thread flusher([&] {
    redis::Connection redis({.address = redis_.address()});
    for (int i = 0; i < 5 && !testing::TestRedis::Absent(); ++i) {
      Eventually([&] { return relay.Stats().sequenced >= 200 * (i + 1); });
      EXPECT_THAT(redis.Command({"FLUSHALL"}), IsOk());
    }
  });
  AppendFromThreads(4, 48, 40);
  flusher.join();
  const int entries = 48 * 40;
  ASSERT_TRUE(Sequenced(entries));
  ExpectDenseAndOrdered(entries);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.outbox"), 0);
  if (testing::TestRedis::Absent()) return;
  // A flush in the quiet afterwards: nobody has consumed anything, so every entry must come back.
  redis::Connection redis({.address = redis_.address()});
  ASSERT_THAT(redis.Command({"FLUSHALL"}), IsOk());
  EXPECT_TRUE(Eventually([&] { return InRedis() == entries; })) << InRedis();
  // Counted when Redis has answered, which is after the entries can be seen there.
  EXPECT_TRUE(Eventually([&] { return relay.Stats().republished >= entries; }));
  EXPECT_EQ(relay.Stats().incarnations, 0);
  relay.Stop();
}

// A Redis that neither answers nor refuses (frozen, or behind a dead link) is the worst kind.
TEST_F(RelayTest, SequencingHardlyWaitsForARedisThatDoesNotAnswer) {
  POTOK_ABOUT_REDIS();
  RelayOptions options = RelayDefaults();
  options.redis.io_timeout = absl::Seconds(2);
  Relay relay(std::move(options), database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  ASSERT_TRUE(Sequenced(1));
  redis_.Freeze();
  ASSERT_THAT(Append(database_.pool(), 1, 2, 2), IsOk());
  ASSERT_TRUE(Eventually([&] { return !relay.Stats().redis_up; }));
  // A writer at ten a second meets several looks at Redis; a look that waited out io_timeout would
  // keep one of its entries back for longer than this patience.
  absl::Notification never;
  for (int version = 3; version <= 14; ++version) {
    ASSERT_THAT(Append(database_.pool(), 1, version, version), IsOk());
    ASSERT_TRUE(Sequenced(version, absl::Milliseconds(1500))) << version;
    never.WaitForNotificationWithTimeout(absl::Milliseconds(100));
  }
  redis_.Thaw();
  EXPECT_TRUE(Eventually([&] { return InRedis() == 14; })) << InRedis();
  relay.Stop();
}

TEST_F(RelayTest, SequencingGoesOnWithoutRedisWhichIsFilledWhenItComes) {
  POTOK_ABOUT_REDIS();
  redis_.Stop();
  Relay relay(RelayDefaults(), database_.pool());
  relay.Start();
  AppendFromThreads(1, 16, 3);
  ASSERT_TRUE(Sequenced(48));
  EXPECT_FALSE(relay.Stats().redis_up);
  // What every group has passed is not worth adding again.
  database_.Query("UPDATE ledger.consumer_offset SET pos = 1 WHERE topic = 1 AND part = 0");
  redis_.Start();
  EXPECT_TRUE(Eventually([&] { return InRedis() == 47; })) << InRedis();
  EXPECT_TRUE(Eventually([&] { return relay.Stats().redis_up; }));
}

TEST_F(RelayTest, RelayThatLostItsLeaseMovesNothing) {
  Relay relay(RelayDefaults(), database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  ASSERT_TRUE(Sequenced(1));
  // Another owner has stamped its token; this relay has not noticed and goes on renewing.
  database_.Query("UPDATE ledger.part_head SET token = gen_random_uuid() WHERE part = 1");
  ASSERT_THAT(Append(database_.pool(), 1, 2, 5), IsOk());
  ASSERT_THAT(Append(database_.pool(), 2, 1, 5), IsOk());
  relay.Notify();
  ASSERT_TRUE(Sequenced(6));
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.event_log WHERE part = 1"), 1);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.outbox WHERE part = 1"), 4);
  EXPECT_EQ(Int("SELECT max(next_pos) FROM ledger.part_head WHERE part = 1"), 2);
}

TEST_F(RelayTest, SuccessorContinuesWhereAKilledRelayStopped) {
  {
    Relay first(RelayDefaults(), database_.pool());
    first.Start();
    AppendFromThreads(2, 16, 5);
    ASSERT_TRUE(Sequenced(80));
  }
  Relay second(RelayDefaults(), database_.pool());
  second.Start();
  AppendFromThreads(2, 16, 5);
  ASSERT_TRUE(Sequenced(160));
  EXPECT_EQ(Int("SELECT count(*) FROM (SELECT max(pos) - min(pos) + 1 - count(*) AS gap FROM "
                "ledger.event_log GROUP BY topic, part) s WHERE gap <> 0"),
            0);
}

TEST_F(RelayTest, StreamAheadOfThePostgresGetsANewIncarnation) {
  POTOK_ABOUT_REDIS();
  redis::Connection redis({.address = redis_.address()});
  ASSERT_THAT(redis.Command({"XADD", Key(1, 2, 1), "900-0", "e", "phantom"}), IsOk());
  Relay relay(RelayDefaults(), database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 3), IsOk());  // topic 2, part 1
  EXPECT_TRUE(Eventually([&] { return InRedis() == 3; }));
  EXPECT_EQ(Int("SELECT incarnation FROM ledger.part_head WHERE topic = 2 AND part = 1"), 2);
  EXPECT_EQ(relay.Stats().incarnations, 1);
  ASSERT_OK_AND_ASSIGN(const auto old, redis.Command({"EXISTS", Key(1, 2, 1)}));
  EXPECT_EQ(old.integer, 0);
}

TEST_F(RelayTest, WakeFromAnotherProcessAndFromThisOneBeatThePoll) {
  POTOK_ABOUT_REDIS();
  RelayOptions options = RelayDefaults();
  options.wake_channel = "wake";
  options.busy_poll = options.idle_poll = absl::Seconds(30);
  Relay relay(options, database_.pool());
  relay.Start();
  ASSERT_TRUE(Eventually([&] { return relay.Stats().redis_up; }));
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  relay.Notify();
  ASSERT_TRUE(Sequenced(1));
  RemoteWake wake({.address = redis_.address()}, "wake", {});
  redis::Connection redis({.address = redis_.address()});
  ASSERT_TRUE(Eventually([&] {
    const auto subscribers = redis.Command({"PUBSUB", "NUMSUB", "wake"});
    return subscribers.ok() && subscribers->items[1].integer == 1;
  }));
  ASSERT_THAT(Append(database_.pool(), 1, 2, 2), IsOk());
  wake.Notify();
  EXPECT_TRUE(Sequenced(2));
}

TEST_F(RelayTest, WordsOfAWakeArriveAndEachOnlyOnceAMessage) {
  POTOK_ABOUT_REDIS();
  testing::Recorder<std::string> messages;
  WakeListener listener({.address = redis_.address()}, "wake",
                        [&](absl::string_view message) { messages.Add(std::string(message)); }, {});
  RemoteWake wake({.address = redis_.address()}, "wake", {});
  redis::Connection redis({.address = redis_.address()});
  ASSERT_TRUE(Eventually([&] {
    const auto subscribers = redis.Command({"PUBSUB", "NUMSUB", "wake"});
    return subscribers.ok() && subscribers->items[1].integer == 1;
  }));
  for (int i = 0; i < 200; ++i) {
    wake.Notify("one");
    wake.Notify("two");
  }
  wake.Notify("last");
  std::multiset<std::string> words;
  ASSERT_TRUE(messages.WaitUntil([&](const std::vector<std::string>& heard) {
    words.clear();
    for (const std::string& message : heard) {
      const std::vector<std::string> lines = absl::StrSplit(message, '\n');
      EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size()) << message;
      words.insert(lines.begin(), lines.end());
    }
    return words.count("last") == 1;
  }));
  EXPECT_GE(words.count(""), 1u);  // What was said before it listened is not known.
  EXPECT_GE(words.count("one"), 1u);
  EXPECT_GE(words.count("two"), 1u);
}

TEST_F(RelayTest, WhatComesSoonAfterAMoveIsMovedTogether) {
  RelayOptions options = RelayDefaults();
  options.pace = absl::Hours(1);
  std::atomic<int> moves{0};
  options.hooks.on_batch = [&](absl::string_view, int, absl::Duration) { ++moves; };
  Relay relay(options, database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1), IsOk());
  relay.Notify();
  ASSERT_TRUE(Sequenced(1));
  ASSERT_THAT(Append(database_.pool(), 1, 2, 10), IsOk());
  relay.Notify();
  relay.Stop();  // Does not wait for the pace.
  EXPECT_EQ(moves, 1);
}

TEST_F(RelayTest, StreamsAreTrimmedBelowTheSlowestGroupAndTheLogIsPruned) {
  POTOK_ABOUT_REDIS();
  RelayOptions options = RelayDefaults();
  options.trim = absl::Milliseconds(50);
  Relay relay(options, database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 1000), IsOk());
  ASSERT_TRUE(Eventually([&] { return InRedis() == 1000; }));
  database_.Query(
      "UPDATE ledger.consumer_offset SET pos = CASE grp WHEN 'sla' THEN 600 ELSE 900 END"
      " WHERE topic = 2 AND part = 1");
  // "~" trims whole nodes of a hundred entries.
  EXPECT_TRUE(Eventually([&] { return InRedis() <= 500; }));
  EXPECT_GE(InRedis(), 400);
}

TEST_F(RelayTest, TheGrantsOfIntakeSuffice) {
  pg::Pool pool({.dsn = database_.dsn("potok_intake"), .size = 4});
  testing::Recorder<std::string> errors;
  RelayOptions options = RelayDefaults();
  options.trim = absl::Milliseconds(50);
  options.hooks.on_error = [&](absl::string_view where, const absl::Status& status) {
    if (testing::TestRedis::Absent() && where == "relay:redis") return;
    errors.Add(absl::StrCat(where, ": ", status.message(), " ", pg::Cause(status)));
  };
  Relay relay(options, pool);
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 10), IsOk());
  ASSERT_TRUE(Sequenced(10));
  if (!testing::TestRedis::Absent()) {
    ASSERT_TRUE(Eventually([&] { return InRedis() == 10; }));
  }
  relay.Stop();
  EXPECT_THAT(errors.Items(), ::testing::IsEmpty());
}

TEST_F(RelayTest, EveryStatementFitsTheSchema) {
  EXPECT_THAT(testing::PrepareAll(database_, sql::kAllStatements), IsOk());
}

TEST_F(RelayTest, StopsWithinASecond) {
  RelayOptions options = RelayDefaults();
  options.wake_channel = "wake";
  options.idle_poll = absl::Seconds(30);
  Relay relay(options, database_.pool());
  relay.Start();
  ASSERT_TRUE(Eventually([&] { return relay.Stats().parts == 16; }));
  const auto start = std::chrono::steady_clock::now();
  relay.Stop();
  relay.Stop();
  EXPECT_LT(absl::FromChrono(std::chrono::steady_clock::now() - start),
            testing::Stretched(absl::Seconds(1)));
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.lease WHERE owner <> ''"), 0);
}

}  // namespace
}  // namespace potok::log
