#include "sla-timer/domain/due_timers.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sla-timer/domain/token_bucket.h"

namespace potok::sla_timer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::Time Second(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

DueTimer Timer(const std::string& ticket, double due,
               desk::TimerKind kind = desk::TimerKind::kBreach) {
  return {0, {ticket, kind}, 0, Second(due)};
}

std::vector<std::string> Tickets(const std::vector<DueTimer>& timers) {
  std::vector<std::string> tickets;
  for (const DueTimer& timer : timers) tickets.push_back(timer.key.ticket_id);
  return tickets;
}

DueTimers::Turn At(double now) {
  return {.now = Second(now),
          .fresh_since = Second(now - 5),
          .limit = 5,
          .backlog_allowance = 100,
          .monotonic = absl::Seconds(now)};
}

TEST(DueTimers, GoInDueOrderAndNotBeforeTheirInstant) {
  DueTimers timers;
  timers.Replace({Timer("c", 12), Timer("a", 10), Timer("b", 11)});
  EXPECT_THAT(timers.Next(At(9.999999)), IsEmpty());
  EXPECT_THAT(Tickets(timers.Next(At(11))), ElementsAre("a", "b"));
  EXPECT_EQ(timers.NextDue(), Second(10));
  EXPECT_EQ(timers.NextDueAfter(Second(10)), Second(11));
  EXPECT_EQ(timers.CountDue(Second(11)), 2u);
}

TEST(DueTimers, ATimerThatMovesIsKnownOnlyAtItsNewPlace) {
  DueTimers timers;
  timers.Put(Timer("a", 10));
  timers.Put(Timer("a", 20));
  EXPECT_EQ(timers.size(), 1u);
  EXPECT_THAT(timers.Next(At(15)), IsEmpty());
  timers.Remove({"a", desk::TimerKind::kBreach});
  EXPECT_EQ(timers.NextDue(), std::nullopt);
}

TEST(DueTimers, WhatATicketHasNowTakesThePlaceOfWhatItHadAndOfNothingElse) {
  DueTimers timers;
  timers.Replace({Timer("a", 10, desk::TimerKind::kHalf), Timer("a", 20), Timer("ab", 11),
                  Timer("b", 12), Timer("c", 13)});
  timers.Rest({"c", desk::TimerKind::kBreach}, absl::Seconds(30));
  timers.ReplaceOf({"a", "b", "c"}, {Timer("a", 30), Timer("c", 13), Timer("d", 14)});
  EXPECT_THAT(Tickets(timers.Next(At(15))), ElementsAre("ab", "d"));  // c rests on.
  EXPECT_EQ(timers.NextDueAfter(Second(15)), Second(30));
  EXPECT_EQ(timers.size(), 4u);
}

TEST(DueTimers, KindsOfOneTicketAreTimersOfTheirOwn) {
  DueTimers timers;
  timers.Put(Timer("a", 10, desk::TimerKind::kHalf));
  timers.Put(Timer("a", 10, desk::TimerKind::kBreach));
  EXPECT_EQ(timers.size(), 2u);
}

TEST(DueTimers, ABacklogGoesOldestFirstAndLeavesAFifthForFreshOnes) {
  DueTimers timers;
  for (int i = 0; i < 20; ++i) timers.Put(Timer(absl::StrCat("old", i), i / 100.0));
  timers.Put(Timer("fresh1", 99));
  timers.Put(Timer("fresh2", 100));
  EXPECT_THAT(Tickets(timers.Next(At(100))), ElementsAre("old0", "old1", "old2", "old3", "fresh1"));
}

TEST(DueTimers, WithoutAllowanceOnlyFreshOnesGo) {
  DueTimers timers;
  for (int i = 0; i < 20; ++i) timers.Put(Timer(absl::StrCat("old", i), 1));
  timers.Put(Timer("fresh", 99));
  DueTimers::Turn turn = At(100);
  turn.backlog_allowance = 0;
  EXPECT_THAT(Tickets(timers.Next(turn)), ElementsAre("fresh"));
  turn.backlog_allowance = 2;
  EXPECT_EQ(timers.Next(turn).size(), 3u);
}

TEST(DueTimers, ARestingTimerLetsOthersPass) {
  DueTimers timers;
  timers.Replace({Timer("bad", 10), Timer("good", 11)});
  timers.Rest({"bad", desk::TimerKind::kBreach}, absl::Seconds(15));
  EXPECT_THAT(Tickets(timers.Next(At(12))), ElementsAre("good"));
  EXPECT_EQ(timers.NextRested(Second(12), absl::Seconds(12)), absl::Seconds(15));
  EXPECT_THAT(Tickets(timers.Next(At(15))), ElementsAre("bad", "good"));
  EXPECT_EQ(timers.NextRested(Second(15), absl::Seconds(15)), std::nullopt);
}

TEST(DueTimers, EachFailureInARowRestsLonger) {
  DueTimers timers;
  const TimerKey key{"bad", desk::TimerKind::kBreach};
  timers.Put(Timer("bad", 0));
  const DueTimers::Pause pause = {absl::Seconds(1), 4, absl::Seconds(10)};
  const absl::Duration expected[] = {absl::Seconds(1), absl::Seconds(4), absl::Seconds(10),
                                     absl::Seconds(10)};
  for (const absl::Duration length : expected) {
    timers.RestLonger(key, pause, absl::Seconds(100));
    EXPECT_EQ(timers.NextRested(Second(100), absl::Seconds(100)), absl::Seconds(100) + length);
  }
}

TEST(DueTimers, HavingBeenBusyDoesNotMakeTheFirstFailureRestLonger) {
  DueTimers timers;
  const TimerKey key{"busy", desk::TimerKind::kBreach};
  timers.Put(Timer("busy", 0));
  for (int i = 0; i < 6; ++i) {
    timers.RestLonger(key, {absl::Milliseconds(10), 2, absl::Seconds(1)}, absl::Seconds(100));
  }
  timers.RestLonger(key, {absl::Milliseconds(500), 4, absl::Minutes(5)}, absl::Seconds(100));
  EXPECT_EQ(timers.NextRested(Second(100), absl::Seconds(100)), absl::Seconds(100.5));
}

TEST(DueTimers, RestsSurviveAReadOfTheRowsButNotTheRow) {
  DueTimers timers;
  const TimerKey key{"bad", desk::TimerKind::kBreach};
  timers.Put(Timer("bad", 10));
  timers.Rest(key, absl::Seconds(50));
  timers.SetAlone(key);
  timers.Replace({Timer("bad", 10)});
  EXPECT_THAT(timers.Next(At(12)), IsEmpty());
  EXPECT_TRUE(timers.IsAlone(key));
  timers.Replace({});
  timers.Replace({Timer("bad", 10)});
  EXPECT_EQ(timers.Next(At(12)).size(), 1u);
  EXPECT_FALSE(timers.IsAlone(key));
}

TEST(DueTimers, ATimerThatIsArmedAnewDoesNotRestForTheFailuresOfTheOldOne) {
  DueTimers timers;
  const TimerKey key{"bad", desk::TimerKind::kBreach};
  timers.Put(Timer("bad", 10));
  timers.RestLonger(key, {absl::Seconds(100), 4, absl::Minutes(5)}, absl::Seconds(10));
  timers.SetAlone(key);
  DueTimer next = Timer("bad", 11);
  next.gen = 1;
  timers.Replace({next});
  EXPECT_THAT(Tickets(timers.Next(At(12))), ElementsAre("bad"));
  EXPECT_FALSE(timers.IsAlone(key));
}

TEST(TokenBucket, FillsWithTimeAndSavesNoMoreThanOneSecond) {
  TokenBucket bucket(500);
  EXPECT_EQ(bucket.Available(absl::Seconds(1000)), 500u);
  bucket.Spend(500);
  EXPECT_EQ(bucket.Available(absl::Seconds(1000)), 0u);
  EXPECT_EQ(bucket.UntilNext(), absl::Milliseconds(2));
  EXPECT_EQ(bucket.Available(absl::Seconds(1000) + absl::Milliseconds(100)), 50u);
  EXPECT_EQ(bucket.Available(absl::Seconds(2000)), 500u);
}

TEST(TokenBucket, HasNothingWhileTokensAreOwed) {
  TokenBucket bucket(10);
  EXPECT_EQ(bucket.Available(absl::Seconds(1000)), 10u);
  bucket.Spend(25);
  EXPECT_EQ(bucket.Available(absl::Seconds(1000)), 0u);
  EXPECT_EQ(bucket.Available(absl::Seconds(1001)), 0u);
  EXPECT_EQ(bucket.Available(absl::Seconds(1002)), 5u);
}

TEST(TokenBucket, NamesNoWaitOnlyWhenThereIsAToken) {
  TokenBucket bucket(20);
  absl::Duration now = absl::Seconds(1000);
  bucket.Available(now);
  bucket.Spend(20);
  // Fractions that do not add up exactly.
  for (int i = 0; i < 10'000; ++i) {
    now += absl::Nanoseconds(4'999'999);
    const bool some = bucket.Available(now) > 0;
    ASSERT_EQ(bucket.UntilNext() == absl::ZeroDuration(), some) << i;
    if (some) bucket.Spend(1);
  }
}

}  // namespace
}  // namespace potok::sla_timer
