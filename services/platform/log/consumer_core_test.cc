#include "platform/log/consumer_core.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Action = ConsumerAction;

constexpr Stream kA{1, 0}, kB{2, 0}, kC{1, 1};
const Held kPart0{0, "t0"}, kPart1{1, "t1"};

absl::Duration Ms(double n) { return absl::Milliseconds(n); }

// The test answers for the database and Redis, and moves time by hand.
class ConsumerCoreTest : public ::testing::Test {
 protected:
  static LogEntry Entry(Stream stream, std::int64_t pos) {
    return {.topic = stream.first,
            .part = stream.second,
            .pos = pos,
            .entity = absl::StrCat("e", pos),
            .version = 1,
            .type = "created",
            .at = {}};
  }
  static std::vector<LogEntry> Entries(Stream stream, std::int64_t from, std::int64_t to) {
    std::vector<LogEntry> entries;
    for (std::int64_t pos = from; pos <= to; ++pos) entries.push_back(Entry(stream, pos));
    return entries;
  }
  Action Next() { return core_.Next(now_); }
  void Hold(const std::vector<Held>& held) { core_.Hold(held, now_); }
  // Asks and answers until the core wants something of the log, or nothing more.
  Action Settle() {
    for (int i = 0; i < 20; ++i) {
      const Action action = Next();
      switch (action.kind) {
        case Action::kSweep: core_.Swept(places_, now_); break;
        case Action::kProbe: core_.Deaf(now_, 0.5); break;
        case Action::kUnnote: core_.Unnoted(); break;
        default: return action;
      }
    }
    ADD_FAILURE() << "it goes round in circles";
    return {};
  }
  // The same, and time passes where the core waits.
  Action NextTake() {
    for (int i = 0; i < 1000; ++i) {
      const Action action = Settle();
      if (action.kind != Action::kWait) return action;
      EXPECT_GT(action.until, now_) << "a wait that does not wait is a spin";
      now_ = action.until;
    }
    ADD_FAILURE() << "nothing came";
    return {};
  }
  // Holds part 0 and knows `places`; the next action is about them.
  void Begin(std::vector<StreamPlace> places) {
    places_ = std::move(places);
    Hold({kPart0, kPart1});
  }
  void Fail(const std::vector<LogEntry>& entries, bool hung = false) {
    core_.HandlerFailed(entries, "why", hung, now_, 0.5);
  }
  void Committed(const std::vector<LogEntry>& entries) {
    core_.Committed(entries, now_);
    for (const LogEntry& entry : entries) {
      for (StreamPlace& place : places_) {
        if (place.stream == Stream{entry.topic, entry.part}) place.offset = entry.pos;
      }
    }
  }

  absl::Duration now_ = absl::Seconds(1000);
  std::vector<StreamPlace> places_;
  ConsumerCore core_{{.batch = 10}};
};

TEST_F(ConsumerCoreTest, WithoutLeasesItWaitsAndWithThemItSweepsFirst) {
  EXPECT_EQ(Next().kind, Action::kWait);
  EXPECT_GT(Next().until, now_);
  Hold({kPart0});
  EXPECT_EQ(Next().kind, Action::kSweep);
}

TEST_F(ConsumerCoreTest, StreamsWithARestAreTakenTogetherUntilTheyGiveLessThanAsked) {
  Begin({{.stream = kA, .offset = 0, .head = 12},
         {.stream = kB, .offset = 4, .head = 4},
         {.stream = kC, .offset = 1, .head = 3}});
  Action action = Settle();
  EXPECT_EQ(action.kind, Action::kTake);
  EXPECT_THAT(action.streams, ElementsAre(kA, kC));
  EXPECT_EQ(action.limit, 10);
  Committed(Entries(kA, 1, 10));  // a full page: there may be more of both
  EXPECT_THAT(Settle().streams, ElementsAre(kA, kC));
  std::vector<LogEntry> rest = Entries(kA, 11, 12);
  rest.push_back(Entry(kC, 2));
  rest.push_back(Entry(kC, 3));
  Committed(rest);
  EXPECT_EQ(Settle().kind, Action::kWait);
  EXPECT_EQ(core_.tally().handled, 14);
}

TEST_F(ConsumerCoreTest, ABatchThatFailedGoesOnEntryByEntryAndThenTogetherAgain) {
  Begin({{.stream = kA, .head = 3}, {.stream = kC, .head = 1}});
  ASSERT_THAT(Settle().streams, ElementsAre(kA, kC));
  std::vector<LogEntry> batch = Entries(kA, 1, 2);
  batch.push_back(Entry(kC, 1));
  Fail(batch);
  for (const Stream& stream : {kA, kC}) {
    const Action one = Settle();
    EXPECT_EQ(one.kind, Action::kTake);
    EXPECT_EQ(one.limit, 1);
    ASSERT_THAT(one.streams, ElementsAre(stream));
    Committed({Entry(stream, 1)});
  }
  EXPECT_THAT(Settle().limit, 10) << "kC is past its batch";
  Committed({});
  EXPECT_EQ(Settle().limit, 1);
  Committed({Entry(kA, 2)});
  EXPECT_EQ(Settle().limit, 10) << "kA is past it too";
}

struct Attempts {
  const char* name;
  bool hung;
  absl::Duration at_most;  // of pauses, whatever the jitter
};

class PoisonTest : public ConsumerCoreTest, public ::testing::WithParamInterface<Attempts> {};

TEST_P(PoisonTest, IsParkedAfterFiveAttemptsWithinItsBudgetWhileTheOthersGoOn) {
  Begin({{.stream = kA, .head = 2}, {.stream = kC, .head = 1000}});
  std::vector<LogEntry> batch = Entries(kA, 1, 2);
  batch.push_back(Entry(kC, 1));
  ASSERT_EQ(Settle().kind, Action::kTake);
  core_.HandlerFailed(batch, "why", GetParam().hung, now_, 0.999);
  const absl::Duration start = now_;
  int attempts = 0;
  std::int64_t other = 0;
  Action action;
  while ((action = NextTake()).kind != Action::kPark) {
    ASSERT_EQ(action.kind, Action::kTake);
    if (action.streams == std::vector<Stream>{kA}) {
      ++attempts;
      EXPECT_EQ(action.limit, 1);
      core_.HandlerFailed({Entry(kA, 1)}, "why", GetParam().hung, now_, 0.999);
    } else {
      const std::int64_t from = other + 1;
      Committed(Entries(kC, from, from + (action.limit == 1 ? 0 : 4)));
      other = from + (action.limit == 1 ? 0 : 4);
      places_[1].head = other + 5;
      now_ += Ms(20);
    }
  }
  EXPECT_EQ(attempts, 5);
  EXPECT_LE(now_ - start, GetParam().at_most);
  EXPECT_GT(other, 20);
  EXPECT_EQ(action.streams, std::vector<Stream>{kA});
  EXPECT_EQ(action.offset, 0);
  EXPECT_EQ(action.attempts, 5);
  EXPECT_EQ(action.reason, "why");
  core_.Parked(1, now_);
  EXPECT_EQ(core_.tally().parked, 1);
  EXPECT_EQ(core_.failing(), 0);
  places_[0].offset = 1;
  for (int i = 0; i < 3; ++i) {
    action = NextTake();
    if (action.streams == std::vector<Stream>{kA}) break;
    Committed({});
  }
  EXPECT_EQ(action.limit, 1) << "the rest of the failed batch";
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, PoisonTest,
    ::testing::Values(Attempts{"Throws", false, absl::Seconds(9)},
                      // Beside the five times three seconds of the attempts themselves.
                      Attempts{"Hangs", true, absl::Seconds(4.5)}),
    [](const auto& kind) { return kind.param.name; });

TEST_F(ConsumerCoreTest, AHungStreamComesLastAndNotBeforeTheOthersHadTime) {
  Begin({{.stream = kA, .head = 1}, {.stream = kC, .head = 9}});
  ASSERT_EQ(Settle().kind, Action::kTake);
  core_.HandlerFailed({Entry(kA, 1)}, "slow", true, now_, 0.0);
  const absl::Duration hung = now_;
  while (true) {
    const Action action = NextTake();
    if (action.streams == std::vector<Stream>{kA}) break;
    Committed({});
    now_ += Ms(1);
    places_[1].head = places_[1].offset + 1;
  }
  EXPECT_GE(now_ - hung, Ms(300));
  EXPECT_EQ(core_.tally().hangs, 1);
}

TEST_F(ConsumerCoreTest, TroubleOfTheDatabaseHoldsEverythingAndCountsForNobody) {
  Begin({{.stream = kA, .head = 1}});
  absl::Duration waited;
  for (int i = 0; i < 20; ++i) {
    Action action = Settle();
    ASSERT_EQ(action.kind, Action::kTake);
    core_.DatabaseFailed(now_, 0.5);
    action = Next();
    ASSERT_EQ(action.kind, Action::kWait);
    waited = action.until - now_;
    EXPECT_GT(waited, Ms(10));
    EXPECT_LE(waited, absl::Seconds(2));
    now_ = action.until;
    EXPECT_EQ(Next().kind, Action::kSweep) << "the answer may have been lost after the commit";
  }
  EXPECT_GT(waited, absl::Seconds(1));
  EXPECT_EQ(core_.tally().failures, 0);
  Settle();
  Committed({Entry(kA, 1)});
  EXPECT_EQ(core_.tally().handled, 1);
}

TEST_F(ConsumerCoreTest, AnEntryThatIsDisturbedAgainAndAgainHoldsUpOnlyItsStream) {
  Begin({{.stream = kA, .head = 50}, {.stream = kC, .head = 50}});
  int disturbed = 0;
  std::int64_t others = 0;
  for (int i = 0; i < 200; ++i) {
    const Action action = NextTake();
    ASSERT_EQ(action.kind, Action::kTake);
    const bool with_a = action.streams[0] == kA;
    if (with_a) {
      ++disturbed;
      std::vector<LogEntry> batch = {Entry(kA, 1)};
      if (action.streams.size() > 1) batch.push_back(Entry(kC, others + 1));
      core_.HandlerDisturbed(batch, now_, 0.5);
    } else {
      Committed({Entry(kC, ++others)});
      places_[1].head = others + 50;
    }
    now_ += Ms(10);
  }
  EXPECT_GT(others, 100);
  EXPECT_GT(disturbed, 3);
  EXPECT_EQ(core_.tally().failures, 0);
  EXPECT_EQ(core_.tally().parked, 0);
}

TEST_F(ConsumerCoreTest, AfterAnOwnerVanishedEachAttemptIsWrittenFirst) {
  Begin({{.stream = kA, .offset = 4, .head = 8, .careful_until = 6}});
  for (std::int64_t pos = 5; pos <= 6; ++pos) {
    const Action note = Settle();
    EXPECT_EQ(note.kind, Action::kNote);
    EXPECT_EQ(note.offset, pos - 1);
    EXPECT_THAT(note.streams, ElementsAre(kA));
    core_.Noted(true, now_);
    const Action take = Next();
    EXPECT_EQ(take.kind, Action::kTake);
    EXPECT_EQ(take.limit, 1);
    Committed({Entry(kA, pos)});
  }
  const Action together = Settle();
  EXPECT_EQ(together.kind, Action::kTake);
  EXPECT_EQ(together.limit, 10);
}

TEST_F(ConsumerCoreTest, AnAttemptThatFailedInTheCarefulStretchIsSaidToHaveEnded) {
  Begin({{.stream = kA, .head = 1, .careful_until = 100}});
  for (const int outcome : {0, 1, 2}) {
    Action action = NextTake();
    ASSERT_EQ(action.kind, Action::kNote);
    core_.Noted(true, now_);
    ASSERT_EQ(Next().kind, Action::kTake);
    switch (outcome) {
      case 0: Fail({Entry(kA, 1)}); break;
      case 1: core_.HandlerDisturbed({Entry(kA, 1)}, now_, 0.5); break;
      default:
        core_.DatabaseFailed(now_, 0.5);
        now_ = Next().until;
        break;
    }
    action = Next();
    EXPECT_EQ(action.kind, Action::kUnnote);
    EXPECT_EQ(action.offset, 0);
    core_.Unnoted();
  }
}

TEST_F(ConsumerCoreTest, AnEntryThatIsGoneOrAnothersIsNotAttempted) {
  Begin({{.stream = kA, .head = 1, .careful_until = 100}});
  ASSERT_EQ(Settle().kind, Action::kNote);
  core_.Noted(false, now_);
  EXPECT_EQ(Settle().kind, Action::kWait);
  EXPECT_EQ(core_.tally().refused, 1);
}

struct Deaths {
  int known;
  std::int64_t attempted;
  bool blind;
  bool parks;
};

TEST_F(ConsumerCoreTest, ThreeDeathsAtOneEntryParkIt) {
  for (const Deaths& c : std::vector<Deaths>{{3, 5, false, true},
                                             {2, 5, true, true},  // the first one in a batch
                                             {2, 5, false, false},
                                             {0, 5, true, false},  // nothing says it was this one
                                             {1, 5, true, false},
                                             {3, 4, false, false},  // that one is behind us
                                             {9, 6, true, false}}) {
    SCOPED_TRACE(absl::StrCat(c.known, " ", c.attempted, " ", c.blind));
    core_ = ConsumerCore({.batch = 10});
    Begin({{.stream = kA,
            .offset = 4,
            .head = 8,
            .careful_until = 104,
            .attempted = c.attempted,
            .deaths = c.known,
            .blind = c.blind}});
    const Action action = Settle();
    EXPECT_EQ(action.kind, c.parks ? Action::kPark : Action::kNote);
    if (!c.parks) continue;
    EXPECT_EQ(action.attempts, 3);
    EXPECT_THAT(action.reason, HasSubstr("the process died 3 times"));
    core_.Parked(5, now_);
    EXPECT_EQ(Settle().kind, Action::kNote) << "the next one is innocent until it has been tried";
  }
}

TEST_F(ConsumerCoreTest, ALeaseThatChangedHandsForgetsItsStreamsAndNoOthers) {
  Begin({{.stream = kA, .head = 1}, {.stream = kC, .head = 1}});
  ASSERT_EQ(Settle().kind, Action::kTake);
  Fail({Entry(kA, 1)});
  ASSERT_THAT(Settle().streams, ElementsAre(kC));
  Fail({Entry(kC, 1)});
  EXPECT_EQ(core_.failing(), 2);
  Hold({{0, "another"}, kPart1});
  EXPECT_EQ(core_.failing(), 1) << "kC keeps its count: a busy cluster must not restart it forever";
  EXPECT_EQ(Next().kind, Action::kSweep);
  Hold({});
  EXPECT_EQ(core_.failing(), 0);
  core_.Committed({Entry(kA, 1)}, now_);  // an answer that comes late
  EXPECT_EQ(Next().kind, Action::kWait);
}

TEST_F(ConsumerCoreTest, AnOffsetThatMovedElsewhereStartsTheCountAnew) {
  Begin({{.stream = kA, .head = 2}});
  ASSERT_EQ(Settle().kind, Action::kTake);
  Fail({Entry(kA, 1)});
  EXPECT_EQ(core_.failing(), 1);
  places_[0].offset = 1;
  now_ += absl::Seconds(2);
  ASSERT_EQ(Next().kind, Action::kSweep);
  core_.Swept(places_, now_);
  EXPECT_EQ(core_.failing(), 0);
}

class RedisTest : public ConsumerCoreTest {
 protected:
  void Up(std::vector<StreamPlace> places) {
    Begin(std::move(places));
    for (int i = 0; i < 5; ++i) {
      const Action action = Next();
      if (action.kind == Action::kSweep) core_.Swept(places_, now_);
      if (action.kind == Action::kProbe) core_.Probed(now_);
    }
  }
  static HeardEntry Heard(Stream stream, std::int64_t pos) {
    return {.stream = stream,
            .id = {static_cast<std::uint64_t>(pos), 0},
            .entity = absl::StrCat("e", pos),
            .version = 1};
  }
};

TEST_F(RedisTest, WhatIsHeardIsTakenAndListeningGoesOnBehindIt) {
  Up({{.stream = kA, .offset = 4, .head = 4, .incarnation = 3}, {.stream = kC}});
  Action action = Next();
  ASSERT_EQ(action.kind, Action::kListen);
  EXPECT_LE(action.until - now_, Ms(500));
  ASSERT_THAT(action.ears, SizeIs(2));
  EXPECT_EQ(action.ears[0].incarnation, 3);
  EXPECT_EQ(action.ears[0].after, (EntryId{4, 0}));
  core_.Heard({Heard(kA, 5), Heard(kA, 6)});
  EXPECT_THAT(Next().streams, ElementsAre(kA));
  Committed(Entries(kA, 5, 7));
  action = Next();
  ASSERT_EQ(action.kind, Action::kListen);
  EXPECT_EQ(action.ears[0].after, (EntryId{7, 0})) << "more was taken than was heard of";
  EXPECT_THAT(core_.TakePhantoms(), IsEmpty());
}

TEST_F(RedisTest, WithoutItPostgresIsPolledAndProbesBackOff) {
  Begin({{.stream = kA}});
  int sweeps = 0, probes = 0;
  const absl::Duration start = now_;
  while (now_ - start < absl::Seconds(10)) {
    const Action action = Next();
    switch (action.kind) {
      case Action::kSweep:
        ++sweeps;
        core_.Swept(places_, now_);
        break;
      case Action::kProbe:
        ++probes;
        core_.Deaf(now_, 0.5);
        break;
      default:
        ASSERT_EQ(action.kind, Action::kWait);
        ASSERT_GT(action.until, now_);
        now_ = action.until;
    }
  }
  EXPECT_GE(sweeps, 99);
  EXPECT_LE(sweeps, 102);
  EXPECT_GE(probes, 10) << "it comes back within a second of Redis";
  EXPECT_LE(probes, 30);
  core_.Probed(now_);
  EXPECT_TRUE(core_.redis_up());
  EXPECT_EQ(Next().kind, Action::kSweep);
}

TEST_F(RedisTest, OneThatTellsNothingIsAsGoodAsNoneUntilItTellsAgain) {
  Up({{.stream = kA, .offset = 4, .head = 4}});
  int taken = 0, anew = 0;
  absl::Duration start = now_;
  while (taken < 40) {
    const Action action = Next();
    switch (action.kind) {
      case Action::kSweep:
        places_[0].head = places_[0].offset + 1;  // something is always new
        core_.Swept(places_, now_);
        break;
      case Action::kTake:
        ++taken;
        Committed({Entry(kA, places_[0].offset + 1)});
        break;
      case Action::kListen:
        anew += action.anew ? 1 : 0;
        core_.Heard({});
        [[fallthrough]];
      default: now_ = action.until;
    }
  }
  EXPECT_LT(now_ - start, absl::Seconds(3 + 5));
  EXPECT_EQ(anew, 1) << "perhaps another server has the address by now";
  places_[0].head = places_[0].offset + 1;
  core_.Heard({Heard(kA, places_[0].head)});
  ASSERT_EQ(Next().kind, Action::kTake);
  Committed({Entry(kA, places_[0].head)});
  now_ += Ms(100);
  core_.Swept(places_, now_);
  start = now_;
  Action action;
  while ((action = Next()).kind != Action::kSweep) {
    if (action.kind == Action::kListen) core_.Heard({});
    now_ = action.until;
  }
  EXPECT_EQ(now_ - start, absl::Seconds(1));
}

TEST_F(RedisTest, OneThatAnswersProbesAndFailsReadsIsAskedWithGrowingPauses) {
  Begin({{.stream = kA}});
  int probes = 0;
  const absl::Duration start = now_;
  while (now_ - start < absl::Seconds(10)) {
    const Action action = Next();
    switch (action.kind) {
      case Action::kSweep: core_.Swept(places_, now_); break;
      case Action::kListen: core_.Deaf(now_, 0.5); break;
      case Action::kProbe:
        ++probes;
        core_.Probed(now_);
        break;
      default: now_ = action.until;
    }
  }
  EXPECT_GE(probes, 10);
  EXPECT_LE(probes, 30);
}

TEST_F(RedisTest, AGroupWithoutRedisNeverAsksForIt) {
  core_ = ConsumerCore({.redis = false});
  Begin({{.stream = kA}});
  for (int i = 0; i < 30; ++i) {
    const Action action = Next();
    ASSERT_TRUE(action.kind == Action::kSweep || action.kind == Action::kWait);
    if (action.kind == Action::kSweep) core_.Swept(places_, now_);
    if (action.kind == Action::kWait) now_ = action.until;
  }
}

TEST_F(RedisTest, AnEntryBeyondTheLogIsAPhantomToldOnce) {
  Up({{.stream = kA, .offset = 4, .head = 4}});
  ASSERT_EQ(Next().kind, Action::kListen);
  core_.Heard({Heard(kA, 9), Heard(kA, 10)});
  ASSERT_EQ(Next().kind, Action::kTake);
  Committed({});
  EXPECT_THAT(core_.TakePhantoms(), IsEmpty()) << "the log has the last word";
  now_ += Ms(100);
  ASSERT_EQ(Next().kind, Action::kSweep) << "soon";
  core_.Swept(places_, now_);
  const std::vector<Phantom> phantoms = core_.TakePhantoms();
  ASSERT_THAT(phantoms, SizeIs(2));
  EXPECT_EQ(phantoms[1].id, (EntryId{10, 0}));
  EXPECT_EQ(core_.tally().phantoms, 2);
  const Action action = Next();
  ASSERT_EQ(action.kind, Action::kListen);
  EXPECT_EQ(action.ears[0].after, (EntryId{10, 0})) << "else it would be heard again at once";
  now_ += absl::Seconds(2);
  Settle();
  EXPECT_THAT(core_.TakePhantoms(), IsEmpty());
}

TEST_F(RedisTest, AnEntryThatSaysAnotherThanTheLogOrHasAForeignIdIsAPhantom) {
  Up({{.stream = kA, .offset = 4, .head = 4}});
  HeardEntry forged = Heard(kA, 5);
  forged.entity = "somebody-else";
  HeardEntry odd = Heard(kA, 6);
  odd.id.seq = 1;
  core_.Heard({forged, odd});
  EXPECT_THAT(core_.TakePhantoms(), SizeIs(1)) << "the relay gives no 6-1";
  ASSERT_EQ(Next().kind, Action::kTake);
  Committed(Entries(kA, 5, 6));
  EXPECT_THAT(core_.TakePhantoms(), SizeIs(1));
  const Action action = Next();
  ASSERT_EQ(action.kind, Action::kListen);
  EXPECT_EQ(action.ears[0].after, odd.id);
}

TEST_F(RedisTest, AFloodOfPhantomsCostsNoMoreThanALookEachPoll) {
  Up({{.stream = kA, .offset = 4, .head = 4}});
  std::uint64_t pos = 1000;
  int looks = 0;
  const absl::Duration start = now_;
  while (now_ - start < absl::Seconds(5)) {
    const Action action = Next();
    now_ += Ms(0.1);
    switch (action.kind) {
      case Action::kSweep:
        ++looks;
        core_.Swept(places_, now_);
        break;
      case Action::kTake:
        ++looks;
        Committed({});
        break;
      case Action::kListen: core_.Heard({Heard(kA, static_cast<std::int64_t>(++pos))}); break;
      default: now_ = std::max(now_, action.until);
    }
  }
  EXPECT_LE(looks, 2 * 55);
  EXPECT_GE(core_.tally().phantoms, 40);
}

TEST_F(RedisTest, ANewIncarnationIsListenedToFromTheOffset) {
  Up({{.stream = kA, .offset = 4, .head = 4}});
  core_.Heard({Heard(kA, 900)});
  Next();
  Committed({});
  now_ += absl::Seconds(1);
  places_[0].incarnation = 2;
  ASSERT_EQ(Next().kind, Action::kSweep);
  core_.Swept(places_, now_);
  EXPECT_THAT(core_.TakePhantoms(), SizeIs(1)) << "told though the relay was quicker";
  const Action action = Next();
  ASSERT_EQ(action.kind, Action::kListen);
  EXPECT_EQ(action.ears[0].incarnation, 2);
  EXPECT_EQ(action.ears[0].after, (EntryId{4, 0}));
}

}  // namespace
}  // namespace potok::log
