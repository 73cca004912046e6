#include "platform/log/consumer_core_fixture.h"

namespace potok::log {
namespace {

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

// A failover to a standby that lacked the last moments: the positions behind are given again.
TEST_F(ConsumerCoreTest, AnEntryThatTakesTheFailedOnesPlaceBeginsItsOwnCount) {
  for (const bool seen : {false, true}) {
    core_ = ConsumerCore({.batch = 10});
    Begin({{.stream = kA, .offset = 4, .head = 5}});
    // Where a sweep saw it, even what was about to be parked gets its attempts.
    for (int i = 0; i < (seen ? 5 : 4); ++i) {
      ASSERT_EQ(NextTake().kind, Action::kTake);
      Fail(Entries(kA, 5, 5));
    }
    for (const std::int64_t head : {4, 5}) {
      places_[0].head = head;
      if (seen || head == 5) core_.Swept(places_, now_);
    }
    LogEntry other = Entry(kA, 5);
    other.entity = "other";
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(NextTake().kind, Action::kTake) << i << seen;
      Fail({other});
    }
    EXPECT_EQ(NextTake().kind, Action::kPark);
  }
}

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

TEST_F(ConsumerCoreTest, WhatHasKilledComesAfterTheOthersAndTheWorstOfThemFirst) {
  const auto place = [](Stream stream, int deaths) {
    return StreamPlace{.stream = stream,
                       .head = 3,
                       .careful_until = 3,
                       .attempted = deaths > 0 ? 1 : 0,
                       .deaths = deaths};
  };
  Begin({place(kA, 1), place(kB, 2), place(kC, 0)});
  std::vector<Stream> order;
  for (int i = 0; i < 3; ++i) {
    const Action note = Settle();
    ASSERT_EQ(note.kind, Action::kNote);
    order.push_back(note.streams[0]);
    core_.Noted(true, now_);
    ASSERT_EQ(Next().kind, Action::kTake);
    Committed({Entry(note.streams[0], note.offset + 1)});
  }
  EXPECT_THAT(order, ElementsAre(kC, kB, kA));
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

}  // namespace
}  // namespace potok::log
