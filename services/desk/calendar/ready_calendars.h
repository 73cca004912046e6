// The calendars Potok ships: a starting point an administrator can take as it is or edit.
#pragma once

#include <string>

#include "desk/calendar/definition.h"

namespace potok::desk {

// Monday to Friday 9:00-13:00 and 14:00-18:00 with the holidays, moved days off, working Saturdays
// and shortened days of 2024-2027 (data/ru-production-calendar.csv). Other years follow the weekly
// pattern alone, holidays included, until the government's decree for them is added as a new
// version.
CalendarDefinition RussianProductionCalendar(std::string id, std::string zone);

// Every minute counts; one working day of a term is 24 hours.
CalendarDefinition AroundTheClock(std::string id, std::string zone);

}  // namespace potok::desk
