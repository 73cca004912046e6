#include "desk/calendar/ready_calendars.h"

#include <optional>
#include <utility>

#include "desk/calendar/russian_days.h"

namespace potok::desk {

CalendarDefinition RussianProductionCalendar(std::string id, std::string zone) {
  CalendarDefinition definition;
  definition.id = std::move(id);
  definition.name = "Производственный календарь РФ, пятидневная неделя";
  definition.zone = std::move(zone);
  for (size_t day = 0; day < 5; ++day)
    definition.week[day] = {{9 * 60, 13 * 60}, {14 * 60, 18 * 60}};
  for (const RussianDay& day : kRussianDays) {
    DayException exception;
    exception.date = absl::CivilDay(day.date.year, day.date.month, day.date.day);
    exception.kind = day.kind;
    exception.name_ru = day.name_ru;
    exception.name_en = day.name_en;
    if (day.swapped_with.year != 0) {
      exception.swapped_with =
          absl::CivilDay(day.swapped_with.year, day.swapped_with.month, day.swapped_with.day);
    }
    definition.exceptions.push_back(std::move(exception));
  }
  return definition;
}

CalendarDefinition AroundTheClock(std::string id, std::string zone) {
  CalendarDefinition definition;
  definition.id = std::move(id);
  definition.name = "24x7";
  definition.zone = std::move(zone);
  definition.week.fill({{0, kMinutesOfDay}});
  return definition;
}

}  // namespace potok::desk
