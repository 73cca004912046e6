#include "desk/calendar/definition.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/time_zone.h"
#include "desk/calendar/day_plan.h"

namespace potok::desk {
namespace {

using Violations = std::vector<FieldViolation>;

void CheckIntervals(const std::string& field, const std::vector<DayInterval>& intervals,
                    Violations& violations) {
  int previous_end = 0;
  for (size_t i = 0; i < intervals.size(); ++i) {
    const DayInterval& interval = intervals[i];
    const std::string here = absl::StrCat(field, "[", i, "]");
    if (interval.start_minute < 0 || interval.end_minute > kMinutesOfDay ||
        interval.start_minute >= interval.end_minute) {
      violations.push_back(
          {here, "an interval starts at 0:00 or later, ends by 24:00 and ends after it starts",
           "интервал начинается не раньше 0:00, кончается не позже 24:00 и позже своего начала"});
      continue;
    }
    if (interval.start_minute < previous_end) {
      violations.push_back({here,
                            "intervals of a day go in order and do not overlap; move its start",
                            "интервалы дня идут по порядку и не пересекаются; сдвиньте начало"});
    }
    previous_end = std::max(previous_end, interval.end_minute);
  }
}

void CheckException(const CalendarDefinition& definition, const DayException& exception,
                    const std::string& field, Violations& violations) {
  const bool day_off =
      exception.kind == DayException::kHoliday || exception.kind == DayException::kDayOffMoved;
  if (exception.hours.has_value()) {
    if (day_off) {
      violations.push_back({field + ".hours",
                            "a day off has no hours; remove them or make it a working day",
                            "у выходного нет часов работы; уберите их или сделайте день рабочим"});
    } else if (exception.hours->empty()) {
      violations.push_back({field + ".hours",
                            "a working day has hours; name them or make it a day off",
                            "у рабочего дня есть часы; укажите их или сделайте день выходным"});
    }
    CheckIntervals(field + ".hours", *exception.hours, violations);
  } else if (exception.kind == DayException::kShortened &&
             definition.week[WeekIndex(exception.date)].empty()) {
    violations.push_back(
        {field + ".kind",
         "only a working day can be shortened; name its hours or use the kind of a working "
         "weekend day",
         "сократить можно только рабочий день; укажите часы или сделайте выходной рабочим"});
  }
}

}  // namespace

absl::Status Validate(const CalendarDefinition& definition) {
  Violations violations;
  if (definition.id.empty()) {
    violations.push_back({"id", "a calendar needs an id", "календарю нужен идентификатор"});
  }
  if (!FindTimeZone(definition.zone)) {
    violations.push_back({"zone", "unknown time zone; use an IANA name such as Europe/Moscow",
                          "неизвестный часовой пояс; укажите имя IANA, например Europe/Moscow"});
  }
  for (size_t day = 0; day < definition.week.size(); ++day) {
    CheckIntervals(absl::StrCat("week[", day, "]"), definition.week[day], violations);
  }
  // The weekly pattern alone must move time on: exceptions end one day, and a term that never ends
  // afterwards is a promise nobody can keep or break.
  if (std::all_of(definition.week.begin(), definition.week.end(),
                  [](const std::vector<DayInterval>& day) { return day.empty(); })) {
    violations.push_back({"week", "a week needs at least one working interval",
                          "в неделе нужен хотя бы один рабочий интервал"});
  }
  std::map<absl::CivilDay, size_t> seen;
  for (size_t i = 0; i < definition.exceptions.size(); ++i) {
    const DayException& exception = definition.exceptions[i];
    const std::string field = absl::StrCat("exceptions[", i, "]");
    const auto [first, added] = seen.emplace(exception.date, i);
    if (!added) {
      violations.push_back(
          {field + ".date",
           absl::StrCat("the date is already in exceptions[", first->second, "]; keep one"),
           absl::StrCat("эта дата уже есть в exceptions[", first->second, "]; оставьте одну")});
    }
    CheckException(definition, exception, field, violations);
  }
  return BadFields(std::move(violations));
}

}  // namespace potok::desk
