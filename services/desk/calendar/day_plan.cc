#include "desk/calendar/day_plan.h"

#include <algorithm>
#include <utility>

namespace potok::desk {
namespace {

constexpr int kShortenedByMinutes = 60;

// The labour code takes the hour from the end of the day. A last interval shorter than an hour goes
// whole and the one before it gives the rest: lunch is no work, so it cannot be what is shortened.
std::vector<DayInterval> Shortened(std::vector<DayInterval> hours) {
  int cut = kShortenedByMinutes;
  while (cut > 0 && !hours.empty()) {
    DayInterval& last = hours.back();
    const int taken = std::min(cut, last.end_minute - last.start_minute);
    last.end_minute -= taken;
    cut -= taken;
    if (last.start_minute == last.end_minute) hours.pop_back();
  }
  return hours;
}

const std::vector<DayInterval>& OrdinaryHours(const CalendarDefinition& definition,
                                              const DayException& exception) {
  if (exception.kind != DayException::kShortened && exception.swapped_with.has_value()) {
    const auto& swapped = definition.week[WeekIndex(*exception.swapped_with)];
    if (!swapped.empty()) return swapped;
  }
  const auto& own = definition.week[WeekIndex(exception.date)];
  return own.empty() ? definition.week[LongestWeekday(definition)] : own;
}

DayPlan PlanException(const CalendarDefinition& definition, int index) {
  const DayException& exception = definition.exceptions[index];
  DayPlan plan;
  plan.exception = index;
  switch (exception.kind) {
    case DayException::kHoliday:
    case DayException::kDayOffMoved: return plan;
    case DayException::kWorking:
      plan.ordinary = exception.hours.value_or(OrdinaryHours(definition, exception));
      plan.working = plan.ordinary;
      return plan;
    case DayException::kWorkingShortened:
    case DayException::kShortened:
      plan.ordinary = OrdinaryHours(definition, exception);
      plan.working = exception.hours.has_value() ? *exception.hours : Shortened(plan.ordinary);
      return plan;
  }
  return plan;
}

}  // namespace

size_t WeekIndex(absl::CivilDay date) {
  // absl counts weekdays from Monday = 0, as CalendarDefinition does.
  return static_cast<size_t>(absl::GetWeekday(date));
}

int TotalMinutes(const std::vector<DayInterval>& intervals) {
  int total = 0;
  for (const DayInterval& interval : intervals)
    total += interval.end_minute - interval.start_minute;
  return total;
}

size_t LongestWeekday(const CalendarDefinition& definition) {
  size_t longest = 0;
  for (size_t day = 1; day < definition.week.size(); ++day) {
    if (TotalMinutes(definition.week[day]) > TotalMinutes(definition.week[longest])) longest = day;
  }
  return longest;
}

DayPlans::DayPlans(const CalendarDefinition& definition) {
  for (size_t day = 0; day < week_.size(); ++day) {
    week_[day].working = definition.week[day];
    week_[day].ordinary = definition.week[day];
  }
  for (size_t i = 0; i < definition.exceptions.size(); ++i) {
    exceptions_.emplace(definition.exceptions[i].date,
                        PlanException(definition, static_cast<int>(i)));
  }
}

const DayPlan& DayPlans::For(absl::CivilDay date) const {
  const auto exception = exceptions_.find(date);
  return exception == exceptions_.end() ? week_[WeekIndex(date)] : exception->second;
}

}  // namespace potok::desk
