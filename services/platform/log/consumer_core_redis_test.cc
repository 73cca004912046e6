#include "platform/log/consumer_core_fixture.h"

namespace potok::log {
namespace {

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

// A failover of Postgres and a flush of Redis at once: what was heard is nowhere any more, and new
// entries get its positions again.
TEST_F(RedisTest, WhatLiesBeyondTheLogAtTwoSweepsIsForgottenAndNewsIsHeardAgain) {
  Up({{.stream = kA, .offset = 4, .head = 4}});
  ASSERT_EQ(Next().kind, Action::kListen);
  core_.Heard({Heard(kA, 9)});
  ASSERT_EQ(Next().kind, Action::kTake);
  Committed({});
  for (int sweeps = 0; sweeps < 2;) {
    const Action action = Next();
    if (action.kind == Action::kSweep) {
      core_.Swept(places_, now_);
      ++sweeps;
    } else if (action.kind == Action::kListen) {
      EXPECT_EQ(action.ears[0].after, (EntryId{9, 0})) << "as long as it may still be there";
      core_.Heard({});
    }
    if (action.until > now_) now_ = action.until;
  }
  const Action action = Next();
  ASSERT_EQ(action.kind, Action::kListen);
  EXPECT_EQ(action.ears[0].after, (EntryId{4, 0}));
}

// One listen gives so many at most: going back to the end of the log each time, it would hear the
// same ones for ever and never what stands behind them.
TEST_F(RedisTest, BeyondTheLogAllIsHeardBeforeListeningGoesBack) {
  constexpr std::int64_t kEntries = 250, kInOneListen = 100;
  Up({{.stream = kA, .offset = 4, .head = 4}});
  std::int64_t heard = 4;
  bool back = false;
  for (int i = 0; i < 100 && !back; ++i) {
    const Action action = Next();
    switch (action.kind) {
      case Action::kSweep: core_.Swept(places_, now_); break;
      case Action::kTake: Committed({}); break;
      case Action::kListen: {
        const auto after = static_cast<std::int64_t>(action.ears[0].after.pos);
        back = after < heard;
        if (back) break;
        std::vector<HeardEntry> entries;
        while (heard < kEntries && heard < after + kInOneListen) {
          entries.push_back(Heard(kA, ++heard));
        }
        core_.Heard(entries);
        break;
      }
      default: break;
    }
    if (action.until > now_) now_ = action.until;
  }
  EXPECT_TRUE(back) << "a flushed server would never be heard again";
  EXPECT_EQ(heard, kEntries);
  EXPECT_EQ(core_.tally().phantoms, kEntries - 4);
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
