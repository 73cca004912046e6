// Entries whose handler fails, throws or hangs: parked within their budget, and nobody else waits.
#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/consumer.h"
#include "platform/log/consumer_rows.h"
#include "platform/log/log_fixture.h"

namespace potok::log {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;
using testing::IsOk;

// Sixteen entities of ten versions; version 3 of entity 1 is the poison.
class ConsumerPoisonTest : public LogFixture {
 protected:
  static constexpr int kAll = 160;

  static bool IsPoison(const LogEntry& entry) {
    return entry.entity == Entity(1) && entry.version == 3;
  }
  // Records every entry, and comes to `poison` after having written the one it is about: what was
  // written must vanish.
  static Handler Poisoned(std::function<absl::Status(pg::Tx&)> poison) {
    return [poison = std::move(poison)](pg::Tx& tx,
                                        const std::vector<LogEntry>& entries) -> absl::Status {
      for (const LogEntry& entry : entries) {
        if (absl::Status s = Record(tx, "analytics", entry); !s.ok()) return s;
        if (!IsPoison(entry)) continue;
        if (absl::Status s = poison(tx); !s.ok()) return s;
      }
      return absl::OkStatus();
    };
  }
  void AppendAll() {
    for (int e = 0; e < 16; ++e) ASSERT_THAT(Append(database_.pool(), e, 1, 10), IsOk());
  }
  std::string Parked() {
    return database_.Query(
        "SELECT string_agg(concat_ws('|', grp, topic, part, pos, version, attempts, state, reason),"
        " ';') FROM ledger.dlq");
  }
};

struct Failure {
  const char* name;
  std::function<absl::Status(pg::Tx&)> poison;
  const char* reason;
};

class ConsumerFailureTest : public ConsumerPoisonTest,
                            public ::testing::WithParamInterface<Failure> {};

TEST_P(ConsumerFailureTest, IsParkedAfterFiveAttemptsWhileTheOthersGoOn) {
  StartRelay();
  std::atomic<int> runs{0};
  testing::Recorder<std::string> notices;
  ConsumerOptions options = ConsumerDefaults();
  options.hooks.on_notice = [&](absl::string_view where, absl::string_view what) {
    notices.Add(absl::StrCat(where, ": ", what));
  };
  Consumer consumer(options, database_.pool(), Poisoned([&](pg::Tx& tx) -> absl::Status {
                      ++runs;
                      return GetParam().poison(tx);
                    }));
  consumer.Start();
  AppendAll();
  ASSERT_TRUE(EffectsReach(kAll - 1));
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().handled == kAll - 1; }));
  const std::string parked = Parked();
  EXPECT_THAT(parked, HasSubstr("analytics|2|1|3|3|5|parked|"));
  EXPECT_THAT(parked, HasSubstr(GetParam().reason));
  EXPECT_THAT(runs.load(), ::testing::AnyOf(5, 6)) << "five of its own, one within a batch";
  EXPECT_EQ(consumer.Stats().parked, 1);
  EXPECT_EQ(consumer.Stats().failures, runs.load());
  EXPECT_EQ(consumer.Stats().hangs, 0);
  EXPECT_EQ(consumer.Stats().failing_streams, 0);
  ExpectOnceAndInOrder(kAll - 1);
  EXPECT_TRUE(notices.WaitUntil([](const std::vector<std::string>& all) {
    return std::any_of(all.begin(), all.end(), [](const std::string& notice) {
      return notice.find("parked topic 2 part 1 pos 3") != std::string::npos;
    });
  }));
}

INSTANTIATE_TEST_SUITE_P(
    Poison, ConsumerFailureTest,
    ::testing::Values(
        Failure{"AnError",
                [](pg::Tx&) { return absl::InvalidArgumentError("cannot understand this one"); },
                "INVALID_ARGUMENT: cannot understand this one"},
        Failure{"AnException",
                [](pg::Tx&) -> absl::Status { throw std::out_of_range("vector::at"); },
                "INTERNAL: the handler threw: vector::at"},
        Failure{"NoMemory", [](pg::Tx&) -> absl::Status { throw std::bad_alloc(); },
                "INTERNAL: the handler threw: std::bad_alloc"},
        Failure{"AnInteger", [](pg::Tx&) -> absl::Status { throw 42; },
                "INTERNAL: the handler threw something that is no std::exception"},
        Failure{"AWrongStatement",
                [](pg::Tx& tx) {
                  tx.RunText("SELECT 1 / 0");
                  return absl::OkStatus();
                },
                "division by zero"},
        Failure{"AWrongColumn",
                [](pg::Tx& tx) {
                  (void)tx.RunText("SELECT 'x'")[0][0].as<int>();
                  return absl::OkStatus();
                },
                "INTERNAL: "},
        // Postgres takes neither: a reason that cannot be stored would hold up the stream for good.
        Failure{"WordsThatAreNoText",
                [](pg::Tx&) {
                  return absl::InternalError(absl::StrCat("\xff\xfe", std::string(1, '\0'), "end"));
                },
                "INTERNAL: ???end"},
        Failure{"ManyWords",
                [](pg::Tx&) {
                  std::string words;
                  for (int i = 0; i < 2000; ++i) words += "щ";
                  return absl::InternalError(words);
                },
                "INTERNAL: щщщ"}),
    [](const auto& failure) { return failure.param.name; });

TEST_F(ConsumerPoisonTest, AHandlerThatHangsIsLeftBehindAndCanNeverCommit) {
  StartRelay();
  Gate gate;
  std::atomic<int> hanging{0};
  ConsumerOptions options = ConsumerDefaults();
  options.handler_budget = testing::Stretched(absl::Milliseconds(150));
  Consumer consumer(options, database_.pool(), Poisoned([&](pg::Tx&) -> absl::Status {
                      ++hanging;
                      gate.Pass();
                      return absl::OkStatus();  // late: its transaction is gone
                    }));
  const OpenAtTheEnd end{gate};
  consumer.Start();
  AppendAll();
  ASSERT_TRUE(EffectsReach(kAll - 1));
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().handled == kAll - 1; }));
  EXPECT_THAT(Parked(), HasSubstr(absl::StrCat(
                            "analytics|2|1|3|3|5|parked|DEADLINE_EXCEEDED: the handler did not end "
                            "within ",
                            absl::FormatDuration(options.handler_budget))));
  EXPECT_THAT(hanging.load(), ::testing::AnyOf(5, 6));
  EXPECT_EQ(consumer.Stats().hangs, hanging.load());
  EXPECT_EQ(consumer.Stats().left_behind, hanging.load());
  // They hold nothing: neither the offset's row nor what the handler wrote is locked.
  EXPECT_EQ(Int("SELECT count(*) FROM (SELECT 1 FROM ledger.consumer_offset FOR UPDATE NOWAIT) r"),
            176);
  gate.Open();
  EXPECT_TRUE(Eventually([&] { return consumer.Stats().left_behind == 0; }));
  ExpectOnceAndInOrder(kAll - 1);
  // The hand at work is a sound one.
  ASSERT_THAT(Append(database_.pool(), 1, 11, 20), IsOk());
  EXPECT_TRUE(EffectsReach(kAll + 9));
  ExpectOnceAndInOrder(kAll + 9);
}

TEST_F(ConsumerPoisonTest, AStatementThatHangsIsEnded) {
  StartRelay();
  ConsumerOptions options = ConsumerDefaults();
  options.handler_budget = testing::Stretched(absl::Milliseconds(150));
  // With the grants of a service: a role may end its own sessions.
  pg::Pool pool({.dsn = database_.dsn("potok_analytics"), .size = 4});
  Consumer consumer(options, pool, Poisoned([&](pg::Tx& tx) -> absl::Status {
                      tx.RunText("SELECT pg_sleep(60)");
                      return absl::OkStatus();
                    }));
  consumer.Start();
  AppendAll();
  ASSERT_TRUE(EffectsReach(kAll - 1));
  EXPECT_THAT(Parked(), HasSubstr("|parked|DEADLINE_EXCEEDED"));
  EXPECT_TRUE(Eventually([&] { return consumer.Stats().left_behind == 0; }));
  EXPECT_EQ(Int("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state "
                "= 'active' AND pid <> pg_backend_pid()"),
            0);
  ExpectOnceAndInOrder(kAll - 1);
}

TEST_F(ConsumerPoisonTest, ADeadLetterThatHangsAgainStaysParkedAndOneThatNoLongerDoesIsDone) {
  StartRelay();
  Gate gate;
  ConsumerOptions options = ConsumerDefaults();
  options.handler_budget = testing::Stretched(absl::Milliseconds(100));
  Consumer consumer(options, database_.pool(), Poisoned([&](pg::Tx&) -> absl::Status {
                      gate.Pass();
                      return absl::OkStatus();
                    }));
  const OpenAtTheEnd end{gate};
  consumer.Start();
  AppendAll();
  ASSERT_TRUE(EffectsReach(kAll - 1));
  const std::string replay = "UPDATE ledger.dlq SET replay_at = clock_timestamp()";
  database_.Query(replay);
  ASSERT_TRUE(Eventually([&] { return consumer.Stats().replay.failed == 1; }));
  EXPECT_THAT(Parked(), HasSubstr("|6|parked|DEADLINE_EXCEEDED"));
  ASSERT_THAT(Append(database_.pool(), 2, 11, 15), IsOk());
  EXPECT_TRUE(EffectsReach(kAll + 4)) << "nobody waits for it";
  gate.Open();
  database_.Query(replay);
  EXPECT_TRUE(EffectsReach(kAll + 5));
  EXPECT_TRUE(Eventually([&] { return consumer.Stats().replay.replayed == 1; }));
  EXPECT_EQ(database_.Query("SELECT state FROM ledger.dlq"), "replayed");
  EXPECT_EQ(Int("SELECT count(DISTINCT (topic, part, pos)) FROM public.effect"), kAll + 5);
}

TEST_F(ConsumerPoisonTest, TooManyHangsAndTheGroupGivesItsLeasesToOthersUntilTheyEnd) {
  StartRelay();
  Gate gate;
  std::atomic<bool> hang{true};
  testing::Recorder<std::string> errors;
  ConsumerOptions options = ConsumerDefaults();
  options.handler_budget = testing::Stretched(absl::Milliseconds(50));
  options.left_behind = 3;
  options.hooks.on_error = [&](absl::string_view where, const absl::Status& status) {
    errors.Add(absl::StrCat(where, ": ", status.message()));
  };
  // Whatever it touches hangs: the process is at fault, not the entry.
  Consumer sick(options, database_.pool(),
                [&](pg::Tx& tx, const std::vector<LogEntry>& entries) -> absl::Status {
                  if (hang) gate.Pass();
                  return Recording()(tx, entries);
                });
  const OpenAtTheEnd end{gate};
  sick.Start();
  AppendAll();
  ASSERT_TRUE(Eventually([&] { return sick.Stats().standing_aside; }));
  EXPECT_EQ(sick.Stats().parts, 0);
  EXPECT_EQ(sick.Stats().left_behind, 3);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.lease WHERE name LIKE 'consumer:analytics:%' AND "
                "expires_at > clock_timestamp()"),
            0);
  EXPECT_TRUE(errors.WaitUntil([](const std::vector<std::string>& all) {
    return std::any_of(all.begin(), all.end(), [](const std::string& error) {
      return error.find("3 handler runs hang; the group has given its leases back") !=
             std::string::npos;
    });
  }));
  {
    Consumer sound(ConsumerDefaults(), database_.pool(), Recording());
    sound.Start();
    ASSERT_TRUE(EffectsReach(kAll));
    EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 0) << "nobody is parked for it";
  }
  hang = false;
  gate.Open();
  ASSERT_TRUE(Eventually([&] { return !sick.Stats().standing_aside && sick.Stats().parts == 16; }));
  ASSERT_THAT(Append(database_.pool(), 2, 11, 15), IsOk());
  EXPECT_TRUE(EffectsReach(kAll + 5));
  ExpectOnceAndInOrder(kAll + 5);
}

// Row 35 with the times of production: three seconds for the handler, pauses from 0.1 s. A
// neighbour of the poison, in its topic and part, waits for all of its attempts, since an offset is
// a line; the others for one of them at a time. Prints how long the stream and the others stood.
TEST_F(ConsumerPoisonTest, AHangBlocksItsStreamForLessThanTwentyFiveSeconds) {
  StartRelay();
  Gate gate;
  std::atomic<int> hanging{0};
  ConsumerOptions options = ConsumerDefaults();
  options.first_retry = ConsumerOptions().first_retry;
  Consumer consumer(options, database_.pool(), Poisoned([&](pg::Tx&) -> absl::Status {
                      ++hanging;
                      gate.Pass();
                      return absl::OkStatus();
                    }));
  const OpenAtTheEnd end{gate};
  consumer.Start();
  const auto start = std::chrono::steady_clock::now();
  AppendAll();
  constexpr int kNeighbour = 1 + 48;
  ASSERT_THAT(Append(database_.pool(), kNeighbour, 1, 5), IsOk());
  const auto neighbours = [&] {
    return Int("SELECT count(*) FROM public.effect WHERE topic = 2 AND part = 1 AND entity = '" +
               Entity(kNeighbour) + "'");
  };
  ASSERT_TRUE(Eventually([&] {
    return Int("SELECT count(*) FROM public.effect WHERE NOT (topic = 2 AND part = 1)") == 150;
  }));
  EXPECT_EQ(neighbours(), 0);
  EXPECT_LE(hanging.load(), 3) << "that of the batch, and one in each round of what came after";
  ASSERT_TRUE(Eventually([&] { return Int("SELECT count(*) FROM public.effect") >= kAll - 1 + 5; },
                         absl::Seconds(60)));
  EXPECT_EQ(neighbours(), 5);
  const absl::Duration stood = absl::FromChrono(std::chrono::steady_clock::now() - start);
  const int others_ms =
      Int("SELECT (1000 * extract(epoch FROM max(at) - min(at)))::int FROM public.effect WHERE NOT "
          "(topic = 2 AND part = 1)");
  std::printf("hang: the stream stood %.1f s, the others %.1f s\n", absl::ToDoubleSeconds(stood),
              others_ms / 1000.0);
  EXPECT_LE(stood, testing::Stretched(absl::Seconds(25)));
  gate.Open();
}

// A COMMIT that was given up may still happen, between the look that found the old offset and the
// next try.
TEST_F(ConsumerPoisonTest, ParkingThatFindsTheOffsetMovedPutsNothingAside) {
  StartRelay();
  ASSERT_THAT(Append(database_.pool(), 0, 1, 3), IsOk());
  ASSERT_TRUE(Eventually([&] { return Int("SELECT count(*) FROM ledger.event_log") == 3; }));
  const Held held{0, "0a000000-0000-4000-8000-000000000001"};
  database_.Query(absl::StrCat("UPDATE ledger.consumer_offset SET token = '", held.token,
                               "' WHERE grp = 'analytics' AND part = 0"));
  const ConsumerAction park{.kind = ConsumerAction::kPark,
                            .streams = {{1, 0}},
                            .limit = 1,
                            .offset = 0,
                            .attempts = 5,
                            .reason = "poison"};
  std::vector<std::int64_t> parked;
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(pg::InTransaction(database_.pool(), {},
                                  [&](pg::Tx& tx) {
                                    const auto entry = ParkEntry(tx, "analytics", park, {held});
                                    parked.push_back(entry ? entry->pos : 0);
                                    return absl::OkStatus();
                                  }),
                IsOk());
  }
  EXPECT_THAT(parked, ::testing::ElementsAre(1, 0));
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq"), 1);
  EXPECT_EQ(Int("SELECT pos FROM ledger.consumer_offset WHERE grp = 'analytics' AND topic = 1 AND "
                "part = 0"),
            1);
}

}  // namespace
}  // namespace potok::log
