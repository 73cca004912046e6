// The relay over a Redis that refuses, forgets or holds something else, and over a relay of the
// past that wakes up late.
#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/log_fixture.h"

namespace potok::log {
namespace {

using testing::Eventually;
using testing::IsOk;

class RelayOverRedis : public LogFixture {
 protected:
  RelayOverRedis()
      : direct_({.address = redis_.address(), .reconnect_pause = absl::ZeroDuration()}) {}

  void Tell(const std::vector<std::string>& command) {
    ASSERT_THAT(direct_.Command(command), IsOk());
  }
  // Entries of the stream of entity 1: topic 2, part 1.
  int InRedis() {
    const int incarnation =
        Int("SELECT incarnation FROM ledger.part_head WHERE topic = 2 AND part = 1");
    const auto length = direct_.Command({"XLEN", Key(incarnation, 2, 1)});
    return length.ok() ? static_cast<int>(length->integer) : -1;
  }
  bool Sequenced(int entries) {
    return Eventually([&] { return Int("SELECT count(*) FROM ledger.event_log") == entries; });
  }

  redis::Connection direct_;
};

TEST_F(RelayOverRedis, OutOfMemoryStopsTheAnnouncingAndNeverTheSequencing) {
  POTOK_ABOUT_REDIS();
  Relay relay(RelayDefaults(), database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 2), IsOk());
  ASSERT_TRUE(Eventually([&] { return InRedis() == 2; }));
  Tell({"CONFIG", "SET", "maxmemory", "1mb"});  // less than an empty Redis needs
  ASSERT_THAT(Append(database_.pool(), 1, 3, 4), IsOk());
  ASSERT_TRUE(Sequenced(4));
  ASSERT_TRUE(Eventually([&] { return relay.Stats().paused; }));
  ASSERT_THAT(Append(database_.pool(), 1, 5, 9), IsOk());
  ASSERT_TRUE(Sequenced(9));
  EXPECT_TRUE(relay.Stats().redis_up) << "full is not away";
  EXPECT_EQ(InRedis(), 2);
  Tell({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(Eventually([&] { return InRedis() == 9; })) << InRedis();
  EXPECT_FALSE(relay.Stats().paused);
  EXPECT_EQ(relay.Stats().incarnations, 0);
}

// Before Redis refuses anything: what others keep in it must not be refused because of the log.
TEST_F(RelayOverRedis, AnnouncingStopsAtFourFifthsOfTheMemoryWhileThereIsStillRoom) {
  POTOK_ABOUT_REDIS();
  Relay relay(RelayDefaults(), database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 2), IsOk());
  ASSERT_TRUE(Eventually([&] { return InRedis() == 2; }));
  // What is used is nine tenths of what there is.
  const auto info = direct_.Command({"INFO", "memory"});
  ASSERT_THAT(info, IsOk());
  const std::string used = "used_memory:";
  const size_t at = info->text.find(used);
  ASSERT_NE(at, std::string::npos);
  const std::int64_t bytes = std::stoll(info->text.substr(at + used.size()));
  Tell({"CONFIG", "SET", "maxmemory", absl::StrCat(bytes / 9 * 10)});
  ASSERT_TRUE(Eventually([&] { return relay.Stats().paused; }));
  ASSERT_THAT(Append(database_.pool(), 1, 3, 9), IsOk());
  ASSERT_TRUE(Sequenced(9));
  EXPECT_EQ(InRedis(), 2);
  EXPECT_TRUE(relay.Stats().redis_up);
  Tell({"SET", "somebody else's", "still taken"});  // Out of memory it would be refused.
  Tell({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(Eventually([&] { return InRedis() == 9; })) << InRedis();
  EXPECT_FALSE(relay.Stats().paused);
}

TEST_F(RelayOverRedis, PrimaryOfThePastIsLeftAloneUntilItIsThePrimaryAgain) {
  POTOK_ABOUT_REDIS();
  for (const char* stale_reads : {"yes", "no"}) {  // READONLY; MASTERDOWN for reads too
    SCOPED_TRACE(stale_reads);
    const int before = Int("SELECT count(*) FROM ledger.event_log");
    testing::Recorder<std::string> errors;
    RelayOptions options = RelayDefaults();
    options.hooks.on_error = [&](absl::string_view, const absl::Status& status) {
      errors.Add(std::string(status.message()));
    };
    Relay relay(options, database_.pool());
    relay.Start();
    ASSERT_THAT(Append(database_.pool(), 1, before + 1, before + 2), IsOk());
    ASSERT_TRUE(Eventually([&] { return InRedis() == before + 2; }));
    Tell({"CONFIG", "SET", "replica-serve-stale-data", stale_reads});
    Tell({"REPLICAOF", "127.0.0.1", "1"});
    ASSERT_THAT(Append(database_.pool(), 1, before + 3, before + 6), IsOk());
    ASSERT_TRUE(Sequenced(before + 6)) << "sequencing does not need Redis";
    ASSERT_TRUE(errors.WaitForCount(1));
    EXPECT_THAT(errors.Items()[0], ::testing::AnyOf(::testing::HasSubstr("READONLY"),
                                                    ::testing::HasSubstr("MASTERDOWN")));
    Tell({"REPLICAOF", "NO", "ONE"});
    EXPECT_TRUE(Eventually([&] { return InRedis() == before + 6; })) << InRedis();
    EXPECT_TRUE(Eventually([&] { return relay.Stats().redis_up; }));
  }
}

TEST_F(RelayOverRedis, KeyThatIsNoStreamGivesWayToANewIncarnation) {
  POTOK_ABOUT_REDIS();
  Relay relay(RelayDefaults(), database_.pool());
  relay.Start();
  ASSERT_THAT(Append(database_.pool(), 1, 1, 2), IsOk());
  ASSERT_TRUE(Eventually([&] { return InRedis() == 2; }));
  Tell({"SET", Key(1, 2, 1), "somebody's"});
  ASSERT_THAT(Append(database_.pool(), 1, 3, 3), IsOk());
  EXPECT_TRUE(Eventually([&] { return InRedis() == 3; })) << InRedis();
  EXPECT_EQ(relay.Stats().incarnations, 1);
  ASSERT_OK_AND_ASSIGN(const auto old, direct_.Command({"EXISTS", Key(1, 2, 1)}));
  EXPECT_EQ(old.integer, 0);
}

TEST_F(RelayOverRedis, KeysOfOtherIncarnationsDoNotStay) {
  POTOK_ABOUT_REDIS();
  RelayOptions options = RelayDefaults();
  options.trim = absl::Milliseconds(50);
  Relay relay(options, database_.pool());
  database_.Query("UPDATE ledger.part_head SET incarnation = 3 WHERE topic = 2 AND part = 1");
  relay.Start();
  ASSERT_TRUE(Eventually([&] { return relay.Stats().redis_up; }));
  // As an owner of the past writes it, or a replica that lagged brings it along.
  for (const int other : {1, 2, 4}) Tell({"XADD", Key(other, 2, 1), "7-0", "e", "old"});
  EXPECT_TRUE(Eventually([&] {
    const auto there = direct_.Command({"EXISTS", Key(1, 2, 1), Key(2, 2, 1), Key(4, 2, 1)});
    return there.ok() && there->integer == 0;
  }));
}

// The worst moment for a process to stand still: committed, and not announced.
TEST_F(RelayOverRedis, RelayThatWakesAfterItsSuccessorBeganNeitherDoublesNorReorders) {
  POTOK_ABOUT_REDIS();
  absl::Notification standing, go_on;
  std::atomic<bool> first{true};
  RelayOptions options = RelayDefaults();
  // Never renewed: its keeper stands still too.
  options.lease_times = {
      .ttl = absl::Seconds(1), .renew = absl::Seconds(60), .fence = absl::Milliseconds(600)};
  options.hooks.on_batch = [&](absl::string_view where, int, absl::Duration) {
    if (where != "relay" || !first.exchange(false)) return;
    standing.Notify();
    go_on.WaitForNotification();
  };
  ASSERT_THAT(Append(database_.pool(), 1, 1, 5), IsOk());
  Relay zombie(options, database_.pool());
  zombie.Start();
  standing.WaitForNotification();
  ASSERT_TRUE(Sequenced(5));
  EXPECT_LE(InRedis(), 0);
  Relay heir(RelayDefaults(), database_.pool());
  heir.Start();
  ASSERT_TRUE(Eventually([&] { return InRedis() == 5; })) << InRedis();
  EXPECT_EQ(heir.Stats().republished, 5);
  ASSERT_THAT(Append(database_.pool(), 1, 6, 7), IsOk());
  ASSERT_TRUE(Eventually([&] { return InRedis() == 7; }));
  EXPECT_EQ(zombie.Stats().parts, 16) << "it has not noticed anything";
  go_on.Notify();
  ASSERT_TRUE(Eventually([&] { return zombie.Stats().parts == 0; }));
  EXPECT_EQ(zombie.Stats().published, 0) << "what it had still to say was said already";
  EXPECT_EQ(InRedis(), 7);
  EXPECT_EQ(heir.Stats().incarnations + zombie.Stats().incarnations, 0);
  ASSERT_THAT(Append(database_.pool(), 1, 8, 8), IsOk());
  EXPECT_TRUE(Eventually([&] { return InRedis() == 8; }));
  ExpectDenseAndOrdered(8);
}

}  // namespace
}  // namespace potok::log
