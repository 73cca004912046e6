#include "platform/log/dead_letter_replay.h"

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/consumer_rows.h"
#include "platform/log/log_fixture.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

using testing::Eventually;
using testing::IsOk;

constexpr char kGroup[] = "analytics";
constexpr char kToken[] = "00000000-0000-4000-8000-00000000000a";
constexpr char kOtherToken[] = "00000000-0000-4000-8000-00000000000b";

class DeadLetterReplayTest : public LogFixture {
 protected:
  DeadLetterReplayTest() { Stamp(kToken); }

  // Gives all parts of the group to whoever holds the token.
  void Stamp(const std::string& token) {
    database_.Query(absl::StrCat("UPDATE ledger.consumer_offset SET token = '", token,
                                 "' WHERE grp = '", kGroup, "'"));
  }
  static std::vector<Held> Holding(const std::string& token = kToken) {
    std::vector<Held> held;
    for (const int part : AllParts()) held.push_back({part, token});
    return held;
  }
  // Entries (topic 1 + i % 3, part i % 16, position 1 + i) for i in [0, count), parked after five
  // attempts. `due`: SQL for the instant of the i-th, or NULL.
  void Park(int count, const std::string& due = "clock_timestamp()") {
    database_.Query(absl::StrCat(
        "INSERT INTO ledger.dlq (grp, topic, part, pos, entity, version, type, attempts, reason, "
        "state, replay_at) SELECT '",
        kGroup, "', 1 + i % 3, i % 16, 1 + i, gen_random_uuid(), 1, 'created', 5, ",
        "'INTERNAL: a bug', 'parked', ", due, " FROM generate_series(0, ", count - 1, ") AS i"));
  }
  void ScheduleAll() {
    database_.Query("UPDATE ledger.dlq SET replay_at = clock_timestamp() WHERE state = 'parked'");
  }
  ReplayOptions Options(const std::string& owner = "one") {
    return {.group = kGroup,
            .owner = owner,
            .handler = Recording(kGroup),
            .after_commit = {},
            .turn = absl::Seconds(20),
            .hooks = {}};
  }
  std::string Row(const std::string& columns) {
    return database_.Query(absl::StrCat("SELECT concat_ws('|', ", columns, ") FROM ledger.dlq"));
  }
  int Effects() { return Int("SELECT count(*) FROM public.effect"); }
  int InState(const std::string& state) {
    return Int(absl::StrCat("SELECT count(*) FROM ledger.dlq WHERE state = '", state, "'"));
  }
};

TEST_F(DeadLetterReplayTest, WhatIsDueIsCarriedOutOnceAndSettledWithItsEffect) {
  Park(3);
  ReplayOptions options = Options();
  std::vector<std::int64_t> committed;
  options.after_commit = [&](const std::vector<LogEntry>& entries) {
    for (const LogEntry& entry : entries) committed.push_back(entry.pos);
  };
  DeadLetterReplay replay(options, database_.pool());
  replay.Turn(Holding());
  EXPECT_EQ(Effects(), 3);
  EXPECT_THAT(committed, ::testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(replay.Stats().replayed, 3);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq WHERE state = 'replayed' AND attempts = 6 AND "
                "settled_at IS NOT NULL AND replay_at IS NULL AND replay_owner = ''"),
            3);
  // Nothing is left for a second look, by this process or by another.
  DeadLetterReplay other(Options("two"), database_.pool());
  other.Turn(Holding());
  EXPECT_EQ(Effects(), 3);
}

TEST_F(DeadLetterReplayTest, NobodyAskedForItSoItStaysParked) {
  Park(2, "NULL");
  DeadLetterReplay replay(Options(), database_.pool());
  EXPECT_GT(replay.Turn(Holding()), absl::ZeroDuration());
  EXPECT_EQ(Effects(), 0);
  EXPECT_EQ(InState("parked"), 2);
}

TEST_F(DeadLetterReplayTest, WhatIsDueLaterWaitsForItsInstant) {
  Park(3, "clock_timestamp() + (i - 1) * interval '1 hour'");
  ReplayOptions options = Options();
  options.look = absl::Hours(24);
  DeadLetterReplay replay(options, database_.pool());
  const absl::Duration wait = replay.Turn(Holding());
  EXPECT_EQ(Effects(), 2);
  EXPECT_EQ(InState("parked"), 1);
  // It wants to be called when the last one is due, not after its usual rest.
  EXPECT_GT(wait, absl::Minutes(50));
  EXPECT_LE(wait, absl::Hours(1));
}

TEST_F(DeadLetterReplayTest, OneTurnLeavesRoomForFreshEntries) {
  Park(5);
  ReplayOptions options = Options();
  options.turn = absl::Nanoseconds(1);
  DeadLetterReplay replay(options, database_.pool());
  EXPECT_EQ(replay.Turn(Holding()), absl::ZeroDuration()) << "the rest is due: come again at once";
  EXPECT_EQ(Effects(), 1);
  for (int turn = 0; turn < 4; ++turn) replay.Turn(Holding());
  EXPECT_EQ(Effects(), 5);
}

TEST_F(DeadLetterReplayTest, WhatFailsAgainStaysParkedWithOneAttemptMoreAndTheNewReason) {
  Park(1);
  ReplayOptions options = Options();
  options.handler = [](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
    // After the write: what was written must vanish with the transaction.
    if (absl::Status status = Record(tx, kGroup, entries[0]); !status.ok()) return status;
    return absl::InvalidArgumentError("another bug");
  };
  testing::Recorder<std::string> told;
  options.hooks.on_replay = [&](absl::string_view group, bool done) {
    told.Add(absl::StrCat(group, done ? " done" : " failed"));
  };
  DeadLetterReplay replay(options, database_.pool());
  replay.Turn(Holding());
  EXPECT_EQ(Effects(), 0);
  EXPECT_EQ(Row("state, attempts, reason, replay_at, replay_owner"),
            "parked|6|INVALID_ARGUMENT: another bug|");
  EXPECT_THAT(told.Items(), ::testing::ElementsAre("analytics failed"));
  EXPECT_EQ(replay.Stats().failed, 1);
}

TEST_F(DeadLetterReplayTest, AThrowingHandlerIsAFailureLikeAnyOther) {
  Park(1);
  ReplayOptions options = Options();
  options.handler = [](pg::Tx&, const std::vector<LogEntry>&) -> absl::Status {
    throw std::runtime_error("thrown");
  };
  DeadLetterReplay replay(options, database_.pool());
  replay.Turn(Holding());
  EXPECT_THAT(Row("state, attempts, reason"), ::testing::HasSubstr("parked|6|INTERNAL"));
}

TEST_F(DeadLetterReplayTest, AFailureOfTheDatabaseIsNoFailureOfTheEntry) {
  Park(1);
  ReplayOptions options = Options();
  options.forgotten_after = absl::ZeroDuration();
  options.look = absl::ZeroDuration();
  int calls = 0;
  options.handler = [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
    if (++calls < 20) return absl::UnavailableError("the database went away");
    return Record(tx, kGroup, entries[0]);
  };
  DeadLetterReplay replay(options, database_.pool());
  for (int turn = 0; turn < 20; ++turn) {
    EXPECT_EQ(InState("parked"), 1);
    replay.Turn(Holding());
  }
  // Twenty begins of one process are no deaths of it, and only the end counts as an attempt.
  EXPECT_EQ(Row("state, attempts, replay_deaths"), "replayed|6|0");
  EXPECT_EQ(Effects(), 1);
}

TEST_F(DeadLetterReplayTest, WithoutTheLeaseTokenNothingIsBegun) {
  Park(4);
  DeadLetterReplay replay(Options(), database_.pool());
  replay.Turn(Holding(kOtherToken));
  EXPECT_EQ(Effects(), 0);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq WHERE replay_owner <> ''"), 0);
}

TEST_F(DeadLetterReplayTest, AnOwnerWhoseLeaseWasTakenAfterTheBeginSettlesNothing) {
  Park(1);
  database_.Query("UPDATE ledger.dlq SET replay_owner = 'one'");
  const auto settle = [&](const std::string& owner, const std::string& token) {
    const auto rows =
        pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::StatusOr<int> {
          return static_cast<int>(tx.Run(sql::kReplaySettle, kGroup, 1, 0, 1, owner, token).size());
        });
    return rows.ok() ? *rows : -1;
  };
  Stamp(kOtherToken);
  EXPECT_EQ(settle("one", kToken), 0) << "the token is another's";
  EXPECT_EQ(settle("two", kOtherToken), 0) << "somebody else has begun it";
  EXPECT_EQ(settle("one", kOtherToken), 1);
  EXPECT_EQ(settle("one", kOtherToken), 0) << "it is settled";
}

TEST_F(DeadLetterReplayTest, ASuccessorWaitsForTheEffectThatIsBeingCommitted) {
  Park(1);
  ReplayOptions options = Options();
  std::thread successor;
  std::atomic<int> effects_at_gain{-1};
  options.handler = [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
    successor = std::thread([&] {
      const absl::Status stamped =
          pg::InTransaction(database_.pool(), {}, [&](pg::Tx& other) -> absl::Status {
            StampOffsets(other, kGroup, {1, 2, 3}, {{0, kOtherToken}}, 0);
            return absl::OkStatus();
          });
      effects_at_gain = stamped.ok() ? Effects() : -2;
    });
    EXPECT_TRUE(Eventually([&] { return database_.SomebodyWaitsForALock(); }));
    return Record(tx, kGroup, entries[0]);
  };
  DeadLetterReplay replay(options, database_.pool());
  replay.Turn(Holding());
  successor.join();
  EXPECT_EQ(effects_at_gain.load(), 1);
}

TEST_F(DeadLetterReplayTest, TwoWhoHoldTheSameTokenApplyEachEffectOnce) {
  constexpr int kLetters = 120;
  Park(kLetters);
  // What no lease allows: both believe to own everything, and the database agrees with both.
  std::atomic<std::int64_t> replayed{0};
  std::vector<std::thread> owners;
  for (const char* owner : {"one", "two", "three"}) {
    owners.emplace_back([&, owner] {
      ReplayOptions options = Options(owner);
      options.look = absl::ZeroDuration();
      options.forgotten_after = absl::ZeroDuration();  // and each begins what the others have begun
      options.deaths = 1000000;
      DeadLetterReplay replay(options, database_.pool());
      EXPECT_TRUE(Eventually([&] {
        replay.Turn(Holding());
        return InState("parked") == 0;
      }));
      replayed += replay.Stats().replayed;
    });
  }
  for (std::thread& owner : owners) owner.join();
  EXPECT_EQ(Effects(), kLetters);
  EXPECT_EQ(Int("SELECT count(DISTINCT (topic, part, pos)) FROM public.effect"), kLetters);
  EXPECT_EQ(replayed.load(), kLetters);
}

TEST_F(DeadLetterReplayTest, ADropWhileItIsDueWins) {
  Park(1);
  database_.Query("UPDATE ledger.dlq SET replay_owner = 'one'");
  database_.Query("UPDATE ledger.dlq SET state = 'dropped', replay_at = NULL");
  DeadLetterReplay replay(Options(), database_.pool());
  replay.Turn(Holding());
  EXPECT_EQ(Effects(), 0);
  EXPECT_EQ(InState("dropped"), 1);
}

TEST_F(DeadLetterReplayTest, WhatFailsAgainAfterItWasSettledIsParkedAgain) {
  Park(1, "NULL");
  database_.Query("UPDATE ledger.dlq SET state = 'dropped', note = 'no', settled_at = now()");
  const auto park = [&](const std::string& reason) {
    EXPECT_THAT(pg::InTransaction(database_.pool(), {},
                                  [&](pg::Tx& tx) -> absl::Status {
                                    tx.Run(sql::kPark, kGroup, 1, 0, 1, Entity(1), 1, "created", 5,
                                           reason);
                                    return absl::OkStatus();
                                  }),
                IsOk());
  };
  park("INTERNAL: still");
  EXPECT_EQ(Row("state, reason, note, settled_at"), "parked|INTERNAL: still|");
  park("INTERNAL: a repeat of the same parking");
  EXPECT_EQ(Row("reason"), "INTERNAL: still");
}

using DeadLetterReplayDeathTest = DeadLetterReplayTest;

TEST_F(DeadLetterReplayDeathTest, KilledBetweenHandlerAndCommitTheNextOwnerAppliesItOnce) {
  Park(1);
  const auto die_before_commit = [&] {
    pg::Pool pool({.dsn = database_.dsn(), .size = 2, .application_name = "dying"});
    ReplayOptions options = Options("one");
    options.forgotten_after = absl::ZeroDuration();
    options.handler = [](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
      const absl::Status status = Record(tx, kGroup, entries[0]);
      if (status.ok()) raise(SIGKILL);
      return status;
    };
    DeadLetterReplay replay(options, pool);
    replay.Turn(Holding());
  };
  EXPECT_EXIT(die_before_commit(), ::testing::KilledBySignal(SIGKILL), "");
  EXPECT_EQ(Row("state, attempts, replay_owner"), "parked|5|one");

  DeadLetterReplay next(Options("two"), database_.pool());
  ASSERT_TRUE(Eventually([&] {
    next.Turn(Holding());
    return InState("replayed") == 1;
  }));
  EXPECT_EQ(Effects(), 1);
  EXPECT_EQ(Row("attempts, replay_deaths"), "6|1");
}

TEST_F(DeadLetterReplayTest, AnEntryThatTakesThreeProcessesWithItIsLeftAlone) {
  Park(1);
  int calls = 0;
  ReplayOptions options = Options();
  options.forgotten_after = absl::ZeroDuration();
  // Seen from the database a process that died is one that began and told no end.
  options.handler = [&](pg::Tx&, const std::vector<LogEntry>&) -> absl::Status {
    ++calls;
    return absl::UnavailableError("gone");
  };
  for (const char* owner : {"one", "two", "three", "four", "five"}) {
    options.owner = owner;
    DeadLetterReplay replay(options, database_.pool());
    replay.Turn(Holding());
  }
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(Row("state, attempts, reason, replay_at"),
              ::testing::MatchesRegex("parked\\|6\\|3 processes ended while .*"));
}

// The whole way: an entry is parked, the bug is mended, somebody asks, and the consumer that owns
// the part carries it out while fresh entries go on, whoever takes the lease meanwhile.
TEST_F(DeadLetterReplayTest, AConsumerCarriesOutWhatItParkedUnderTakeovers) {
  Relay relay(RelayDefaults(), database_.pool(24));
  relay.Start();
  std::atomic<bool> mended{false};
  const Handler handler = [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
    for (const LogEntry& entry : entries) {
      if (absl::Status status = Record(tx, kGroup, entry); !status.ok()) return status;
      if (!mended && entry.version == 2) return absl::InternalError("a bug");
    }
    return absl::OkStatus();
  };
  ConsumerOptions options = ConsumerDefaults(kGroup);
  options.attempts = 2;
  Consumer one(options, database_.pool(), handler);
  options.owner = MakeOwner();
  Consumer two(options, database_.pool(), handler);
  one.Start();
  two.Start();
  constexpr int kEntities = 32;
  for (int e = 0; e < kEntities; ++e) ASSERT_THAT(Append(database_.pool(), e, 1, 3), IsOk());
  ASSERT_TRUE(Eventually([&] { return InState("parked") == kEntities; }));
  ASSERT_TRUE(EffectsReach(2 * kEntities));

  mended = true;
  ScheduleAll();
  int version = 4;
  const auto disturb = [&] {
    // Takes leases away under running handlers: their owners become zombies that still write. Some
    // round may lose a deadlock against a renewal; the next one does as well.
    (void)pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
      tx.RunText(
          "UPDATE ledger.lease SET expires_at = '-infinity' WHERE name LIKE 'consumer:%:%' AND "
          "hashtext(name || $1) % 3 = 0",
          {pg::ToParam(version)});
      return absl::OkStatus();
    });
    for (int e = 0; e < 4; ++e) {
      EXPECT_THAT(Append(database_.pool(), e, version, version), IsOk());
    }
    ++version;
  };
  // For a while only: whoever loses its leases again and again gets nothing done.
  ASSERT_TRUE(Eventually(
      [&] {
        if (version < 150) disturb();
        return InState("replayed") == kEntities;
      },
      absl::Seconds(60)));
  const int entries = 3 * kEntities + 4 * (version - 4);
  ASSERT_TRUE(EffectsReach(entries));
  one.Stop();
  two.Stop();
  EXPECT_EQ(Effects(), entries);
  EXPECT_EQ(Int("SELECT count(DISTINCT (entity, version)) FROM public.effect"), entries);
  EXPECT_EQ(one.Stats().replay.replayed + two.Stats().replay.replayed, kEntities);
}

TEST_F(DeadLetterReplayTest, AReplayThatHangsIsGivenUpAndTheGroupGoesOn) {
  Relay relay(RelayDefaults(), database_.pool(24));
  relay.Start();
  enum { kFails, kHangs, kMended };
  std::atomic<int> bug{kFails};
  absl::Notification release;
  ConsumerOptions options = ConsumerDefaults(kGroup);
  options.attempts = 2;
  options.handler_budget = testing::Stretched(absl::Milliseconds(300));
  Consumer consumer(options, database_.pool(),
                    [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
                      for (const LogEntry& entry : entries) {
                        if (absl::Status s = Record(tx, kGroup, entry); !s.ok()) return s;
                        if (entry.version != 2) continue;
                        if (bug == kFails) return absl::InternalError("a bug");
                        if (bug == kHangs) release.WaitForNotification();
                      }
                      return absl::OkStatus();
                    });
  consumer.Start();
  for (int e = 0; e < 4; ++e) ASSERT_THAT(Append(database_.pool(), e, 1, 3), IsOk());
  ASSERT_TRUE(Eventually([&] { return InState("parked") == 4; }));

  bug = kHangs;
  database_.Query("UPDATE ledger.dlq SET replay_at = clock_timestamp() WHERE part = 1");
  ASSERT_TRUE(
      Eventually([&] { return Int("SELECT attempts FROM ledger.dlq WHERE part = 1") == 3; }));
  EXPECT_THAT(database_.Query("SELECT reason FROM ledger.dlq WHERE part = 1"),
              ::testing::HasSubstr("did not end within"));
  for (int e = 0; e < 4; ++e) ASSERT_THAT(Append(database_.pool(), e, 4, 4), IsOk());
  EXPECT_TRUE(EffectsReach(4 * 3)) << "while the run that was left behind still hangs";

  bug = kMended;
  release.Notify();
  ScheduleAll();
  EXPECT_TRUE(Eventually([&] { return InState("replayed") == 4; }));
  consumer.Stop();
  EXPECT_EQ(Effects(), 4 * 4);
  EXPECT_EQ(Int("SELECT count(DISTINCT (entity, version)) FROM public.effect"), 4 * 4);
  EXPECT_EQ(consumer.Stats().replay.failed, 1);
}

}  // namespace
}  // namespace potok::log
