#include "notifier/domain/breaker.h"

#include "gtest/gtest.h"

#include "notifier/domain/retry.h"

namespace potok::notifier {
namespace {

absl::Duration Second(double n) { return absl::Seconds(n); }

Breaker Opened() {
  Breaker breaker;
  for (int i = 0; i < 20; ++i) breaker.Record(Second(i * 0.1), i % 2 == 0);
  return breaker;
}

TEST(Breaker, OpensAtHalfOfTwentyCallsAndNotBefore) {
  Breaker breaker;
  for (int i = 0; i < 19; ++i) breaker.Record(Second(1), false);
  EXPECT_FALSE(breaker.open());
  EXPECT_EQ(breaker.Take(Second(1), 50).sends, 50);
  breaker.Record(Second(1), true);
  EXPECT_TRUE(breaker.open());
  EXPECT_TRUE(Opened().open());

  Breaker mostly_well;
  for (int i = 0; i < 200; ++i) mostly_well.Record(Second(i * 0.01), i % 5 < 3);
  EXPECT_FALSE(mostly_well.open());
}

TEST(Breaker, ForgetsWhatIsOlderThanItsWindow) {
  Breaker breaker;
  for (int i = 0; i < 19; ++i) breaker.Record(Second(0), false);
  for (int i = 0; i < 19; ++i) breaker.Record(Second(31), true);
  breaker.Record(Second(32), false);
  EXPECT_FALSE(breaker.open());
}

TEST(Breaker, LetsOneThroughEachTenSecondsWhileOpen) {
  Breaker breaker = Opened();
  EXPECT_EQ(breaker.Take(Second(2), 50).sends, 0);
  EXPECT_EQ(breaker.Wait(Second(2)), Second(9.9));
  EXPECT_EQ(breaker.Take(Second(12), 50).sends, 1);
  EXPECT_EQ(breaker.Take(Second(12), 50).sends, 0) << "a second worker must not probe too";
  breaker.Record(Second(13), false);
  EXPECT_EQ(breaker.Take(Second(21), 50).sends, 0);
  const Breaker::Permit probe = breaker.Take(Second(22), 50);
  EXPECT_EQ(probe.sends, 1);
  breaker.GiveBack(probe);
  EXPECT_EQ(breaker.Take(Second(22), 50).sends, 1) << "there was nothing to probe with";
  breaker.Record(Second(23), true);
  EXPECT_FALSE(breaker.open());
  EXPECT_EQ(breaker.Take(Second(23), 50).sends, 50);
}

TEST(Breaker, WorkerThatFoundNothingToSendFreesOnlyItsOwnProbe) {
  Breaker breaker;
  const Breaker::Permit of_better_days = breaker.Take(Second(0), 50);
  for (int i = 0; i < 20; ++i) breaker.Record(Second(1), false);
  breaker.GiveBack(of_better_days);
  EXPECT_EQ(breaker.Take(Second(2), 50).sends, 0) << "it has just opened";
  const Breaker::Permit first = breaker.Take(Second(11), 50);
  const Breaker::Permit second = breaker.Take(Second(21), 50);
  EXPECT_EQ(second.sends, 1);
  breaker.GiveBack(first);
  EXPECT_EQ(breaker.Take(Second(22), 50).sends, 0);
}

TEST(Breaker, RestsWhenAsked) {
  Breaker breaker;
  breaker.PauseUntil(Second(30));
  breaker.PauseUntil(Second(20));
  EXPECT_EQ(breaker.Take(Second(29), 50).sends, 0);
  EXPECT_EQ(breaker.Wait(Second(29)), Second(1));
  EXPECT_EQ(breaker.Take(Second(30), 50).sends, 50);
  EXPECT_EQ(breaker.Wait(Second(31)), Second(0));
}

TEST(Retry, WaitsGrowWithFullJitterUpToAQuarterOfAnHour) {
  absl::Duration bound = absl::Seconds(2);
  for (int attempts = 1; attempts < kMostAttempts; ++attempts) {
    const absl::Duration most = *NextTry(attempts, absl::ZeroDuration(), 0.999999);
    const absl::Duration least = *NextTry(attempts, absl::ZeroDuration(), 0);
    EXPECT_LE(most, bound);
    EXPECT_GT(most, bound * 0.99);
    EXPECT_LE(least, most * 0.11);
    bound = std::min(bound * 2, absl::Minutes(15));
  }
}

TEST(Retry, GivesUpAfterTwelveTriesOrADay) {
  EXPECT_TRUE(NextTry(11, absl::Hours(23), 0.5).has_value());
  EXPECT_FALSE(NextTry(12, absl::ZeroDuration(), 0.5).has_value());
  EXPECT_FALSE(NextTry(1, absl::Hours(24), 0.5).has_value());
}

}  // namespace
}  // namespace potok::notifier
