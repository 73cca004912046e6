// What an administrator writes about working time: a weekly pattern, the days that break it, and a
// zone.
//
// Plain data without behaviour; Calendar (calendar.h) compiles it into something that answers
// questions. Minutes are minutes of the local wall clock: 9:00 is 540, the end of the day is 1440.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"

namespace potok::desk {

inline constexpr int kMinutesOfDay = 24 * 60;

// Half-open [start_minute, end_minute); an end of 1440 is 24:00.
struct DayInterval {
  int start_minute = 0;
  int end_minute = 0;

  friend bool operator==(const DayInterval&, const DayInterval&) = default;
};

// A date that does not follow the weekly pattern.
struct DayException {
  enum Kind {
    kHoliday,           // Public holiday: nobody works.
    kDayOffMoved,       // A day off moved here from another date: nobody works.
    kWorking,           // A working weekend day.
    kWorkingShortened,  // A working weekend day, one hour less at its end.
    kShortened,         // An ordinary working day, one hour less at its end.
  };

  absl::CivilDay date;
  Kind kind = kHoliday;
  std::string name_ru;
  std::string name_en;
  // The hours of the day as they are; without them the rules of `kind` apply. Never set for a day
  // off.
  std::optional<std::vector<DayInterval>> hours = std::nullopt;
  // The other date of a swap. A working day without `hours` takes those of this date's weekday;
  // without a swap, those of its own weekday, or of the longest weekday when its own is a day off.
  std::optional<absl::CivilDay> swapped_with = std::nullopt;
};

struct CalendarDefinition {
  std::string id;
  int version = 1;
  std::string name;
  std::string zone;  // IANA name, such as "Europe/Moscow".
  std::array<std::vector<DayInterval>, 7>
      week{};                            // Monday first; several a day leave room for lunch.
  std::vector<DayException> exceptions;  // Any order, one per date.
};

// OK, or INVALID_ARGUMENT that names every wrong field ("week[0][1]", "exceptions[3].hours",
// "zone").
absl::Status Validate(const CalendarDefinition& definition);

}  // namespace potok::desk
