// Random lives of a clock against a minute-by-minute count of the time it ran.
#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <rapidcheck/gtest.h>
#include <vector>

#include "desk/calendar/ready_calendars.h"
#include "desk/sla/clock.h"

namespace potok::desk {
namespace {

enum Act { kPause, kResume, kRetarget, kLook };

// A clock change, a weekend and holidays lie within two weeks of each of these days.
const std::shared_ptr<const Calendar>& Subject(int which) {
  static const std::vector<std::shared_ptr<const Calendar>> calendars = [] {
    CalendarDefinition night;
    night.id = "night";
    night.zone = "America/New_York";
    night.week.fill({{0, 5 * 60}, {22 * 60, kMinutesOfDay}});
    return std::vector<std::shared_ptr<const Calendar>>{
        *Calendar::Compile(RussianProductionCalendar("ru", "Europe/Berlin"), 2024, 2028),
        *Calendar::Compile(night, 2024, 2028),
        *Calendar::Compile(AroundTheClock("24x7", "UTC"), 2024, 2028)};
  }();
  return calendars[which];
}

absl::Time DrawStart() {
  static const absl::CivilDay days[] = {absl::CivilDay(2026, 3, 5),   absl::CivilDay(2026, 3, 27),
                                        absl::CivilDay(2026, 4, 28),  absl::CivilDay(2026, 10, 22),
                                        absl::CivilDay(2026, 10, 30), absl::CivilDay(2026, 12, 28)};
  return absl::FromCivil(days[*rc::gen::inRange(0, 6)], absl::UTCTimeZone()) +
         absl::Minutes(*rc::gen::inRange(0, kMinutesOfDay));
}

RC_GTEST_PROP(SlaClockLife, ConsumedIsTheWorkingTimeItRanWhateverHappened, ()) {
  const Calendar& calendar = *Subject(*rc::gen::inRange(0, 3));
  absl::Time now = DrawStart();
  const auto draw_term = [] { return absl::Minutes(*rc::gen::inRange(1, 3000)); };
  SlaClock clock = StartClock(calendar, now, draw_term());
  int64_t ran = 0;
  for (int step = 0; step < 12; ++step) {
    const int minutes = *rc::gen::inRange(0, 2000);
    for (int minute = 0; minute < minutes; ++minute) {
      if (clock.running_since.has_value() && calendar.IsWorking(now)) ++ran;
      now += absl::Minutes(1);
    }
    const SlaClock before = clock;
    switch (static_cast<Act>(*rc::gen::inRange(0, 4))) {
      case kPause: clock = PauseClock(calendar, clock, now); break;
      case kResume: clock = ResumeClock(calendar, clock, now); break;
      case kRetarget: clock = RetargetClock(calendar, clock, now, draw_term()); break;
      case kLook: break;
    }
    RC_ASSERT(ConsumedAt(calendar, clock, now) == absl::Minutes(ran));
    RC_ASSERT(clock.gen >= before.gen && clock.gen <= before.gen + 1);
    RC_ASSERT(RemainingAt(calendar, clock, now) == *clock.term - absl::Minutes(ran));
    if (clock.running_since.has_value()) {
      RC_ASSERT(clock.due_at.has_value());
      // Due exactly when nothing is left, and not a microsecond before.
      RC_ASSERT((*clock.due_at > now) ==
                (*RemainingAt(calendar, clock, now) > absl::ZeroDuration()));
      if (*clock.due_at > now) {
        RC_ASSERT(RemainingAt(calendar, clock, *clock.due_at) == absl::ZeroDuration());
        RC_ASSERT(*RemainingAt(calendar, clock, *clock.due_at - absl::Microseconds(1)) >
                  absl::ZeroDuration());
      }
      if (clock.half_at.has_value()) {
        RC_ASSERT(ConsumedAt(calendar, clock, *clock.half_at) == *clock.term / 2);
      }
    } else {
      RC_ASSERT(!clock.half_at.has_value());
      // A parenthesis of its own: RC_ASSERT takes `||` apart and looks at both sides.
      RC_ASSERT((!clock.due_at.has_value() || *clock.due_at <= now));
    }
  }
}

RC_GTEST_PROP(SlaClockLife, PausesOutsideWorkingTimeMoveNothing, ()) {
  const Calendar& calendar = *Subject(*rc::gen::inRange(0, 2));
  const absl::Time start = DrawStart();
  const SlaClock untouched = StartClock(calendar, start, absl::Minutes(*rc::gen::inRange(1, 6000)));
  SlaClock clock = untouched;
  for (const CountedSpan& span : calendar.Explain(start, *untouched.due_at)) {
    if (span.counted || !*rc::gen::arbitrary<bool>()) continue;
    clock = ResumeClock(calendar, PauseClock(calendar, clock, span.start), span.end);
    RC_ASSERT(clock.due_at == untouched.due_at);
  }
  RC_ASSERT(ConsumedAt(calendar, clock, *untouched.due_at) == *untouched.term);
}

RC_GTEST_PROP(SlaClockLife, PauseAndResumeAtOneInstantMoveNothing, ()) {
  const Calendar& calendar = *Subject(*rc::gen::inRange(0, 3));
  const absl::Time start = DrawStart();
  const SlaClock clock = StartClock(calendar, start, absl::Minutes(*rc::gen::inRange(1, 6000)));
  const absl::Time at = start + absl::Microseconds(*rc::gen::inRange<int64_t>(0, 600'000'000'000));
  const SlaClock again = ResumeClock(calendar, PauseClock(calendar, clock, at), at);
  RC_ASSERT(again.due_at == clock.due_at);
  RC_ASSERT(RemainingAt(calendar, again, at) == RemainingAt(calendar, clock, at));
}

}  // namespace
}  // namespace potok::desk
