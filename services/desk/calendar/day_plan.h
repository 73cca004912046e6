// What one date is by a calendar definition: its working hours and why the rest does not count.
// The one place that knows the rules of shortened and swapped days; Calendar compiles and explains
// by it.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/civil_time.h"

#include "desk/calendar/definition.h"

namespace potok::desk {

// Index into CalendarDefinition::week.
size_t WeekIndex(absl::CivilDay date);

// Minutes in a sorted list of intervals that do not overlap.
int TotalMinutes(const std::vector<DayInterval>& intervals);

struct DayPlan {
  std::vector<DayInterval> working;
  // What the day would be without shortening: equal to `working` except on shortened days, and
  // empty exactly on days off.
  std::vector<DayInterval> ordinary;
  int exception =
      -1;  // Index into CalendarDefinition::exceptions, -1 for a day of the weekly pattern.
};

// Immutable after construction and independent of the definition's lifetime.
class DayPlans {
 public:
  // Requires a valid definition.
  explicit DayPlans(const CalendarDefinition& definition);

  const DayPlan& For(absl::CivilDay date) const;

 private:
  std::array<DayPlan, 7> week_;
  absl::flat_hash_map<absl::CivilDay, DayPlan> exceptions_;
};

// The index of the weekday with the most working minutes, the first of equals.
size_t LongestWeekday(const CalendarDefinition& definition);

}  // namespace potok::desk
