#include "sla-timer/rpc/convert_calendar.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include <google/type/date.pb.h>
#include <google/type/timeofday.pb.h>

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/calendar/day_plan.h"
#include "desk/calendar/ready_calendars.h"
#include "ledger/history.h"
#include "sla-timer/rpc/wire.h"

namespace potok::sla_timer {
namespace {

constexpr char kRussian[] = "ru-production";
constexpr char kAlways[] = "around-the-clock";
constexpr char kUsualZone[] = "Europe/Moscow";

absl::StatusOr<int> MinuteFromWire(const std::string& field, const google::type::TimeOfDay& time) {
  const bool sound = time.hours() >= 0 && time.hours() <= 24 && time.minutes() >= 0 &&
                     time.minutes() < 60 && time.seconds() == 0 && time.nanos() == 0;
  if (!sound) {
    return BadField(field, "must be a time of day to the minute, 0:00 to 24:00, without seconds",
                    "время суток с точностью до минуты, от 0:00 до 24:00, без секунд");
  }
  return time.hours() * 60 + time.minutes();
}

absl::StatusOr<absl::CivilDay> DayFromWire(const std::string& field,
                                           const google::type::Date& date) {
  const absl::CivilDay day(date.year(), date.month(), date.day());
  if (date.year() < 1 || date.year() > 9999 || day.month() != date.month() ||
      day.day() != date.day()) {
    return BadField(field, "must be a whole date that exists: year, month and day",
                    "нужна полная существующая дата: год, месяц и день");
  }
  return day;
}

void ToWire(absl::CivilDay day, google::type::Date* out) {
  out->set_year(static_cast<int32_t>(day.year()));
  out->set_month(day.month());
  out->set_day(day.day());
}

void ToWire(int minute, google::type::TimeOfDay* out) {
  out->set_hours(minute / 60);
  out->set_minutes(minute % 60);
}

// Puts a definition together and remembers which field of the request each of its parts came from.
class Draft {
 public:
  explicit Draft(desk::CalendarDefinition base)
      : definition_(std::move(base)), exception_from_(definition_.exceptions.size(), -1) {}

  desk::CalendarDefinition& definition() { return definition_; }

  absl::Status SetWeek(const v1::Calendar& wire) {
    if (wire.working_intervals().empty()) return absl::OkStatus();
    struct From {
      desk::DayInterval interval;
      int index;
    };
    std::array<std::vector<From>, 7> days;
    for (int i = 0; i < wire.working_intervals_size(); ++i) {
      const v1::WorkingInterval& interval = wire.working_intervals(i);
      const std::string field = absl::StrCat("calendar.working_intervals[", i, "]");
      POTOK_ASSIGN_OR_RETURN(
          const int open, MinuteFromWire(field + ".open_time_of_day", interval.open_time_of_day()));
      POTOK_ASSIGN_OR_RETURN(const int close, MinuteFromWire(field + ".close_time_of_day",
                                                             interval.close_time_of_day()));
      days[interval.day() - 1].push_back({{open, close}, i});
    }
    for (size_t day = 0; day < days.size(); ++day) {
      // In any order on the wire: the afternoon may be named before the morning.
      std::stable_sort(days[day].begin(), days[day].end(), [](const From& a, const From& b) {
        return a.interval.start_minute < b.interval.start_minute;
      });
      definition_.week[day].clear();
      for (const From& from : days[day]) {
        definition_.week[day].push_back(from.interval);
        interval_from_[day].push_back(from.index);
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddExceptions(const v1::Calendar& wire) {
    const size_t of_template = definition_.exceptions.size();
    for (int i = 0; i < wire.exceptions_size(); ++i) {
      const v1::CalendarException& in = wire.exceptions(i);
      const std::string field = absl::StrCat("calendar.exceptions[", i, "]");
      desk::DayException exception;
      POTOK_ASSIGN_OR_RETURN(exception.date, DayFromWire(field + ".date", in.date()));
      exception.kind =
          static_cast<desk::DayException::Kind>(in.kind() - 1);  // One apart: see ToWire.
      exception.name_ru = in.display_name().ru();
      exception.name_en = in.display_name().en();
      if (in.has_swapped_date()) {
        POTOK_ASSIGN_OR_RETURN(exception.swapped_with,
                               DayFromWire(field + ".swapped_date", in.swapped_date()));
      }
      size_t place = 0;
      while (place < of_template && (definition_.exceptions[place].date != exception.date ||
                                     exception_from_[place] >= 0)) {
        ++place;
      }
      if (place < of_template) {
        definition_.exceptions[place] = std::move(exception);
        exception_from_[place] = i;
      } else {
        definition_.exceptions.push_back(std::move(exception));
        exception_from_.push_back(i);
      }
    }
    return absl::OkStatus();
  }

  // "week[0][1]" -> "calendar.working_intervals[7]" and the like.
  std::string FieldOf(const std::string& field) const {
    int first = 0, second = 0, used = 0;
    if (field == "zone") return "calendar.time_zone";
    if (field == "id") return "calendar_id";
    if (std::sscanf(field.c_str(), "week[%d][%d]", &first, &second) == 2) {
      return absl::StrCat("calendar.working_intervals[", interval_from_[first][second], "]");
    }
    if (std::sscanf(field.c_str(), "exceptions[%d]%n", &first, &used) == 1) {
      // A day of the template that the new week has no place for.
      if (exception_from_[first] < 0) return "calendar.working_intervals";
      return absl::StrCat("calendar.exceptions[", exception_from_[first], "]", field.substr(used));
    }
    return "calendar.working_intervals";
  }

 private:
  desk::CalendarDefinition definition_;
  std::array<std::vector<int>, 7> interval_from_;
  std::vector<int> exception_from_;  // Index on the wire; -1 for one of the template.
};

absl::Status NoSuchTemplate(const std::string& name) {
  ErrorDetail detail;
  detail.metadata["calendar_template"] = name;
  detail.ru = absl::StrCat("шаблона календаря ", name, " нет; есть ", kRussian, " и ", kAlways);
  return MakeError(absl::StatusCode::kNotFound, "TEMPLATE_NOT_FOUND",
                   absl::StrCat("there is no calendar template ", name, "; there are ", kRussian,
                                " and ", kAlways),
                   std::move(detail));
}

}  // namespace

absl::StatusOr<desk::CalendarDefinition> CalendarFromWire(
    const v1::CreateCalendarRequest& request) {
  const v1::Calendar& wire = request.calendar();
  const std::string zone = wire.time_zone().empty() ? kUsualZone : wire.time_zone();
  desk::CalendarDefinition base;
  if (request.calendar_template() == kRussian) {
    base = desk::RussianProductionCalendar(request.calendar_id(), zone);
  } else if (request.calendar_template() == kAlways) {
    base = desk::AroundTheClock(request.calendar_id(), zone);
  } else if (!request.calendar_template().empty()) {
    return NoSuchTemplate(request.calendar_template());
  } else if (wire.working_intervals().empty()) {
    return BadField("calendar.working_intervals",
                    absl::StrCat("name the working hours of the week, or a calendar_template: ",
                                 kRussian, " or ", kAlways),
                    absl::StrCat("укажите рабочие часы недели или calendar_template: ", kRussian,
                                 " или ", kAlways));
  }
  base.id = request.calendar_id();
  base.version = 1;
  base.zone = zone;
  if (!wire.display_name().empty()) base.name = wire.display_name();
  Draft draft(std::move(base));
  POTOK_RETURN_IF_ERROR(draft.SetWeek(wire));
  POTOK_RETURN_IF_ERROR(draft.AddExceptions(wire));
  POTOK_RETURN_IF_ERROR(WithFields(desk::Validate(draft.definition()),
                                   [&](const std::string& field) { return draft.FieldOf(field); }));
  return std::move(draft.definition());
}

v1::Calendar ToWire(const PublishedCalendar& calendar, bool with_exceptions) {
  const desk::CalendarDefinition& definition = calendar.definition;
  v1::Calendar wire;
  wire.set_name(absl::StrCat("calendars/", definition.id));
  wire.set_version(definition.version);
  wire.set_display_name(definition.name);
  wire.set_time_zone(definition.zone);
  for (size_t day = 0; day < definition.week.size(); ++day) {
    for (const desk::DayInterval& interval : definition.week[day]) {
      v1::WorkingInterval* out = wire.add_working_intervals();
      out->set_day(static_cast<google::type::DayOfWeek>(day + 1));  // Both weeks begin on Monday.
      ToWire(interval.start_minute, out->mutable_open_time_of_day());
      ToWire(interval.end_minute, out->mutable_close_time_of_day());
    }
  }
  for (const desk::DayException& exception : definition.exceptions) {
    if (!with_exceptions) break;
    v1::CalendarException* out = wire.add_exceptions();
    ToWire(exception.date, out->mutable_date());
    // Same order on both sides, one apart for KIND_UNSPECIFIED; a test compares every name.
    out->set_kind(static_cast<v1::CalendarException::Kind>(exception.kind + 1));
    out->mutable_display_name()->set_ru(exception.name_ru);
    out->mutable_display_name()->set_en(exception.name_en);
    if (exception.swapped_with) ToWire(*exception.swapped_with, out->mutable_swapped_date());
  }
  const size_t longest = desk::LongestWeekday(definition);
  SetDuration(absl::Minutes(desk::TotalMinutes(definition.week[longest])),
              wire.mutable_working_day());
  SetTimestamp(calendar.created_at, wire.mutable_create_time());
  wire.set_etag(ledger::EtagOf(definition.version));
  return wire;
}

}  // namespace potok::sla_timer
