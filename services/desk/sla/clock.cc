#include "desk/sla/clock.h"

#include <algorithm>

namespace potok::desk {
namespace {

bool HasPassed(const std::optional<absl::Time>& due_at, absl::Time now) {
  return due_at.has_value() && *due_at <= now;
}

// Moves the time of the current run into `consumed`, so that a run that goes on goes on from `now`.
void Fold(const Calendar& calendar, SlaClock& clock, absl::Time now) {
  clock.consumed = ConsumedAt(calendar, clock, now);
  if (clock.running_since.has_value()) clock.running_since = std::max(*clock.running_since, now);
}

// Derives both instants of a clock that has just been folded at `now`.
void Arm(const Calendar& calendar, SlaClock& clock, absl::Time now) {
  clock.half_at.reset();
  if (!clock.term.has_value()) {
    clock.due_at.reset();
    return;
  }
  const absl::Duration left = *clock.term - clock.consumed;
  const bool broken_before = left <= absl::ZeroDuration() && HasPassed(clock.due_at, now);
  if (!clock.running_since.has_value()) {
    if (!broken_before) clock.due_at.reset();
    return;
  }
  const absl::Time from = *clock.running_since;
  if (left > absl::ZeroDuration()) {
    clock.due_at = calendar.Add(from, left);
  } else if (!broken_before) {
    clock.due_at = from;
  }
  const absl::Duration to_half = *clock.term / 2 - clock.consumed;
  if (to_half > absl::ZeroDuration()) clock.half_at = calendar.Add(from, to_half);
}

}  // namespace

SlaClock StartClock(const Calendar& calendar, absl::Time now, std::optional<absl::Duration> term) {
  SlaClock clock;
  clock.term = term;
  clock.running_since = now;
  Arm(calendar, clock, now);
  return clock;
}

SlaClock PauseClock(const Calendar& calendar, SlaClock clock, absl::Time now) {
  if (!clock.running_since.has_value()) return clock;
  Fold(calendar, clock, now);
  clock.running_since.reset();
  clock.half_at.reset();
  if (!HasPassed(clock.due_at, now)) clock.due_at.reset();
  return clock;
}

SlaClock ResumeClock(const Calendar& calendar, SlaClock clock, absl::Time now) {
  if (clock.running_since.has_value()) return clock;
  clock.running_since = now;
  ++clock.gen;
  Arm(calendar, clock, now);
  return clock;
}

SlaClock RetargetClock(const Calendar& calendar, SlaClock clock, absl::Time now,
                       std::optional<absl::Duration> term) {
  return RetargetClock(calendar, calendar, clock, now, term);
}

SlaClock RetargetClock(const Calendar& until_now, const Calendar& from_now, SlaClock clock,
                       absl::Time now, std::optional<absl::Duration> term) {
  Fold(until_now, clock, now);
  clock.term = term;
  ++clock.gen;
  Arm(from_now, clock, now);
  return clock;
}

SlaClock StopClock(const Calendar& calendar, SlaClock clock, absl::Time now) {
  Fold(calendar, clock, now);
  clock.running_since.reset();
  clock.half_at.reset();
  return clock;
}

absl::Duration ConsumedAt(const Calendar& calendar, const SlaClock& clock, absl::Time now) {
  if (!clock.running_since.has_value()) return clock.consumed;
  return clock.consumed +
         std::max(absl::ZeroDuration(), calendar.Between(*clock.running_since, now));
}

std::optional<absl::Duration> RemainingAt(const Calendar& calendar, const SlaClock& clock,
                                          absl::Time now) {
  if (!clock.term.has_value()) return std::nullopt;
  return *clock.term - ConsumedAt(calendar, clock, now);
}

}  // namespace potok::desk
