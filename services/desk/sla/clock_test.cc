#include "desk/sla/clock.h"

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

#include "desk/calendar/ready_calendars.h"

namespace potok::desk {
namespace {

// Monday 2026-03-16 to Friday 2026-03-20 is an ordinary week in Moscow, 9-13 and 14-18.
class SlaClockTest : public ::testing::Test {
 protected:
  static absl::Time At(absl::string_view wall) {
    absl::Time t;
    std::string error;
    EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", wall, absl::FixedTimeZone(3 * 3600), &t, &error))
        << error;
    return t;
  }

  const std::shared_ptr<const Calendar> calendar_ =
      *Calendar::Compile(RussianProductionCalendar("ru", "Europe/Moscow"), 2025, 2027);
  const Calendar& office_ = *calendar_;
};

TEST_F(SlaClockTest, StartPromisesTheTermAndItsHalf) {
  const SlaClock clock = StartClock(office_, At("2026-03-16 10:00"), absl::Hours(16));
  EXPECT_EQ(clock.due_at, At("2026-03-18 10:00"));
  EXPECT_EQ(clock.half_at, At("2026-03-17 10:00"));
  EXPECT_EQ(clock.gen, 0);
}

TEST_F(SlaClockTest, WithoutATermItCountsAndIsNeverDue) {
  const SlaClock clock = StartClock(office_, At("2026-03-16 10:00"), std::nullopt);
  EXPECT_EQ(clock.due_at, std::nullopt);
  EXPECT_EQ(clock.half_at, std::nullopt);
  EXPECT_EQ(ConsumedAt(office_, clock, At("2026-03-16 15:00")), absl::Hours(4));
  EXPECT_EQ(RemainingAt(office_, clock, At("2026-03-16 15:00")), std::nullopt);
}

TEST_F(SlaClockTest, PauseOverTheWeekendMovesTheDueTimeByWorkingTimeOnly) {
  SlaClock clock = StartClock(office_, At("2026-03-20 15:00"), absl::Hours(4));
  clock = PauseClock(office_, clock, At("2026-03-20 17:00"));
  EXPECT_EQ(clock.consumed, absl::Hours(2));
  EXPECT_EQ(clock.due_at, std::nullopt);
  EXPECT_EQ(clock.half_at, std::nullopt);
  clock = ResumeClock(office_, clock, At("2026-03-23 11:00"));
  EXPECT_EQ(clock.due_at, At("2026-03-23 13:00"));
  EXPECT_EQ(clock.gen, 1);
}

TEST_F(SlaClockTest, PauseOutsideWorkingHoursChangesNothing) {
  const SlaClock before = StartClock(office_, At("2026-03-20 15:00"), absl::Hours(16));
  for (const auto& [from, to] : {std::pair{"2026-03-20 18:00", "2026-03-23 09:00"},
                                 std::pair{"2026-03-21 12:00", "2026-03-22 12:00"},
                                 std::pair{"2026-03-23 13:00", "2026-03-23 14:00"}}) {
    const SlaClock after = ResumeClock(office_, PauseClock(office_, before, At(from)), At(to));
    EXPECT_EQ(after.due_at, before.due_at) << from;
    EXPECT_EQ(ConsumedAt(office_, after, At("2026-03-23 16:00")),
              ConsumedAt(office_, before, At("2026-03-23 16:00")));
  }
}

TEST_F(SlaClockTest, HalfReminderReturnsAfterAPauseOnlyWhileAhead) {
  const SlaClock clock = StartClock(office_, At("2026-03-16 09:00"), absl::Hours(4));
  const SlaClock early = PauseClock(office_, clock, At("2026-03-16 10:00"));
  EXPECT_EQ(ResumeClock(office_, early, At("2026-03-17 09:00")).half_at, At("2026-03-17 10:00"));
  const SlaClock at_half = PauseClock(office_, clock, At("2026-03-16 11:00"));
  EXPECT_EQ(ResumeClock(office_, at_half, At("2026-03-17 09:00")).half_at, std::nullopt);
}

TEST_F(SlaClockTest, RetargetKeepsElapsedTime) {
  const SlaClock clock = StartClock(office_, At("2026-03-16 09:00"), absl::Hours(16));
  const SlaClock urgent = RetargetClock(office_, clock, At("2026-03-16 11:00"), absl::Hours(4));
  EXPECT_EQ(urgent.due_at, At("2026-03-16 13:00"));
  EXPECT_EQ(urgent.half_at, std::nullopt);
  EXPECT_EQ(urgent.gen, 1);
  const SlaClock calm = RetargetClock(office_, urgent, At("2026-03-16 12:00"), absl::Hours(24));
  EXPECT_EQ(calm.due_at, At("2026-03-18 18:00"));
  EXPECT_EQ(calm.half_at, At("2026-03-17 13:00"));
  EXPECT_EQ(calm.gen, 2);
}

TEST_F(SlaClockTest, NewTermThatIsUsedUpIsDueNowAndNotInThePast) {
  const SlaClock clock = StartClock(office_, At("2026-03-16 09:00"), absl::Hours(16));
  EXPECT_EQ(RetargetClock(office_, clock, At("2026-03-16 15:00"), absl::Hours(1)).due_at,
            At("2026-03-16 15:00"));
}

TEST_F(SlaClockTest, BrokenPromiseStaysWhereItBrokeThroughPauseAndCut) {
  const SlaClock clock = StartClock(office_, At("2026-03-16 09:00"), absl::Hours(1));
  const SlaClock paused = PauseClock(office_, clock, At("2026-03-16 12:00"));
  EXPECT_EQ(paused.due_at, At("2026-03-16 10:00"));
  const SlaClock resumed = ResumeClock(office_, paused, At("2026-03-17 15:00"));
  EXPECT_EQ(resumed.due_at, At("2026-03-16 10:00"));
  EXPECT_EQ(RemainingAt(office_, resumed, At("2026-03-17 16:00")), -absl::Hours(3));
  const SlaClock cut = RetargetClock(office_, resumed, At("2026-03-17 16:00"), absl::Minutes(30));
  EXPECT_EQ(cut.due_at, At("2026-03-16 10:00"));
  // More time makes it a promise again.
  EXPECT_EQ(RetargetClock(office_, cut, At("2026-03-17 16:00"), absl::Hours(5)).due_at,
            At("2026-03-17 17:00"));
}

TEST_F(SlaClockTest, RetargetWhilePausedTakesEffectOnResume) {
  SlaClock clock = StartClock(office_, At("2026-03-16 09:00"), absl::Hours(16));
  clock = PauseClock(office_, clock, At("2026-03-16 12:00"));
  clock = RetargetClock(office_, clock, At("2026-03-16 15:00"), absl::Hours(2));
  EXPECT_EQ(clock.due_at, std::nullopt);
  EXPECT_EQ(clock.gen, 1);
  clock = ResumeClock(office_, clock, At("2026-03-17 10:00"));
  EXPECT_EQ(clock.due_at, At("2026-03-17 10:00"));
}

TEST_F(SlaClockTest, NewCalendarCountsOnlyWhatIsAhead) {
  const auto always = *Calendar::Compile(AroundTheClock("24x7", "UTC"), 2025, 2027);
  const SlaClock clock = StartClock(office_, At("2026-03-16 16:00"), absl::Hours(16));
  const SlaClock moved =
      RetargetClock(office_, *always, clock, At("2026-03-16 20:00"), absl::Hours(16));
  EXPECT_EQ(moved.consumed, absl::Hours(2));
  EXPECT_EQ(moved.due_at, At("2026-03-17 10:00"));
}

TEST_F(SlaClockTest, StopKeepsTheJudgedPromiseAndReopenGoesOn) {
  SlaClock clock = StartClock(office_, At("2026-03-16 09:00"), absl::Hours(4));
  clock = StopClock(office_, clock, At("2026-03-16 12:00"));
  EXPECT_EQ(clock.due_at, At("2026-03-16 13:00"));
  EXPECT_EQ(clock.half_at, std::nullopt);
  EXPECT_EQ(RemainingAt(office_, clock, At("2026-03-20 12:00")), absl::Hours(1));
  clock = ResumeClock(office_, clock, At("2026-03-18 09:00"));
  EXPECT_EQ(clock.due_at, At("2026-03-18 10:00"));
  EXPECT_EQ(clock.gen, 1);
}

TEST_F(SlaClockTest, RepeatedPauseOrResumeIsNoChange) {
  const SlaClock running = StartClock(office_, At("2026-03-16 09:00"), absl::Hours(4));
  EXPECT_EQ(ResumeClock(office_, running, At("2026-03-16 10:00")), running);
  const SlaClock paused = PauseClock(office_, running, At("2026-03-16 10:00"));
  EXPECT_EQ(PauseClock(office_, paused, At("2026-03-16 15:00")), paused);
}

TEST_F(SlaClockTest, TimeThatStepsBackTakesNothingAway) {
  SlaClock clock = StartClock(office_, At("2026-03-16 12:00"), absl::Hours(4));
  EXPECT_EQ(ConsumedAt(office_, clock, At("2026-03-16 11:00")), absl::ZeroDuration());
  clock = RetargetClock(office_, clock, At("2026-03-16 11:00"), absl::Hours(2));
  EXPECT_EQ(clock.due_at, At("2026-03-16 15:00"));
}

}  // namespace
}  // namespace potok::desk
