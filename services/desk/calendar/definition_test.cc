#include "desk/calendar/definition.h"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "desk/calendar/day_plan.h"

namespace potok::desk {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CalendarDefinition OfficeWeek() {
  CalendarDefinition office;
  office.id = "office";
  office.zone = "Europe/Moscow";
  for (size_t day = 0; day < 5; ++day) office.week[day] = {{540, 780}, {840, 1080}};
  return office;
}

std::vector<std::string> WrongFields(const CalendarDefinition& definition) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : GetErrorDetail(Validate(definition)).fields) {
    EXPECT_FALSE(violation.en.empty());
    EXPECT_FALSE(violation.ru.empty());
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(CalendarDefinition, OfficeWeekIsValid) { EXPECT_TRUE(Validate(OfficeWeek()).ok()); }

TEST(CalendarDefinition, EachMistakeNamesItsField) {
  struct Case {
    const char* what;
    std::function<void(CalendarDefinition&)> spoil;
    std::vector<std::string> fields;
  };
  const absl::CivilDay monday(2026, 3, 2);
  const absl::CivilDay saturday(2026, 3, 7);
  const std::vector<Case> cases = {
      {"no id", [](auto& d) { d.id.clear(); }, {"id"}},
      {"no zone", [](auto& d) { d.zone.clear(); }, {"zone"}},
      {"unknown zone", [](auto& d) { d.zone = "Europe/Atlantis"; }, {"zone"}},
      {"zone of the machine", [](auto& d) { d.zone = "localtime"; }, {"zone"}},
      {"zone as a path", [](auto& d) { d.zone = "/etc/localtime"; }, {"zone"}},
      {"zone as a relative path", [](auto& d) { d.zone = "../zoneinfo/UTC"; }, {"zone"}},
      {"empty week", [](auto& d) { d.week.fill({}); }, {"week"}},
      {"empty interval",
       [](auto& d) {
         d.week[1] = {{600, 600}};
       },
       {"week[1][0]"}},
      {"negative start",
       [](auto& d) {
         d.week[1] = {{-1, 600}};
       },
       {"week[1][0]"}},
      {"past midnight",
       [](auto& d) {
         d.week[1] = {{600, 1441}};
       },
       {"week[1][0]"}},
      {"overlap",
       [](auto& d) {
         d.week[2] = {{540, 780}, {779, 1080}};
       },
       {"week[2][1]"}},
      {"out of order",
       [](auto& d) {
         d.week[2] = {{840, 1080}, {540, 780}};
       },
       {"week[2][1]"}},
      {"same date twice",
       [&](auto& d) {
         d.exceptions = {{monday, DayException::kHoliday, "", ""},
                         {monday, DayException::kShortened, "", ""}};
       },
       {"exceptions[1].date"}},
      {"holiday with hours",
       [&](auto& d) {
         d.exceptions = {
             {monday, DayException::kHoliday, "", "", std::vector<DayInterval>{{540, 600}}}};
       },
       {"exceptions[0].hours"}},
      {"working day without hours",
       [&](auto& d) {
         d.exceptions = {{saturday, DayException::kWorking, "", "", std::vector<DayInterval>{}}};
       },
       {"exceptions[0].hours"}},
      {"bad hours of an exception",
       [&](auto& d) {
         d.exceptions = {
             {saturday, DayException::kWorking, "", "", std::vector<DayInterval>{{700, 600}}}};
       },
       {"exceptions[0].hours[0]"}},
      {"shortened day off",
       [&](auto& d) {
         d.exceptions = {{saturday, DayException::kShortened, "", ""}};
       },
       {"exceptions[0].kind"}},
      {"several at once", [](auto& d) { d.id.clear(), d.zone.clear(); }, {"id", "zone"}},
  };
  for (const Case& c : cases) {
    CalendarDefinition definition = OfficeWeek();
    c.spoil(definition);
    EXPECT_EQ(WrongFields(definition), c.fields) << c.what;
    EXPECT_EQ(Validate(definition).code(), absl::StatusCode::kInvalidArgument) << c.what;
  }
}

TEST(CalendarDefinition, TouchingIntervalsAndMidnightEndAreValid) {
  CalendarDefinition definition = OfficeWeek();
  definition.week[0] = {{0, 600}, {600, 1440}};
  EXPECT_TRUE(Validate(definition).ok());
}

TEST(DayPlans, RulesOfEachKindDecideTheHours) {
  CalendarDefinition definition = OfficeWeek();
  definition.week[4] = {{540, 780}, {840, 1020}};  // Friday ends at 17:00.
  const absl::CivilDay friday(2026, 3, 6);
  const absl::CivilDay saturday(2026, 3, 7);
  const absl::CivilDay sunday(2026, 3, 8);
  struct Case {
    const char* what;
    DayException exception;
    std::vector<DayInterval> working;
  };
  const std::vector<DayInterval> own = {{600, 700}};
  const std::vector<Case> cases = {
      {"a holiday has none", {friday, DayException::kHoliday, "", ""}, {}},
      {"a moved day off has none", {friday, DayException::kDayOffMoved, "", ""}, {}},
      {"a shortened day loses its last hour",
       {friday, DayException::kShortened, "", ""},
       {{540, 780}, {840, 960}}},
      {"a shortened day may name its hours", {friday, DayException::kShortened, "", "", own}, own},
      {"a working Saturday takes the hours of the day it was swapped with",
       {saturday, DayException::kWorking, "", "", std::nullopt, friday},
       {{540, 780}, {840, 1020}}},
      {"and, shortened, loses the last of them",
       {saturday, DayException::kWorkingShortened, "", "", std::nullopt, friday},
       {{540, 780}, {840, 960}}},
      {"without a swap it is like the longest weekday",
       {saturday, DayException::kWorking, "", ""},
       {{540, 780}, {840, 1080}}},
      {"a swap with a day off says nothing about hours",
       {saturday, DayException::kWorking, "", "", std::nullopt, sunday},
       {{540, 780}, {840, 1080}}},
      {"a working Saturday may name its hours",
       {saturday, DayException::kWorking, "", "", own},
       own},
  };
  for (const Case& c : cases) {
    CalendarDefinition with = definition;
    with.exceptions = {c.exception};
    ASSERT_TRUE(Validate(with).ok()) << c.what;
    EXPECT_EQ(DayPlans(with).For(c.exception.date).working, c.working) << c.what;
  }
}

TEST(DayPlans, ShorteningTakesWorkAndNeverLunch) {
  CalendarDefinition definition = OfficeWeek();
  definition.week[0] = {{540, 780}, {840, 870}};  // Half an hour after lunch.
  definition.exceptions = {{absl::CivilDay(2026, 3, 2), DayException::kShortened, "", ""}};
  EXPECT_THAT(DayPlans(definition).For(absl::CivilDay(2026, 3, 2)).working,
              ElementsAre(DayInterval{540, 750}));

  definition.week[0] = {{540, 590}};  // Less than the hour itself.
  EXPECT_THAT(DayPlans(definition).For(absl::CivilDay(2026, 3, 2)).working, IsEmpty());
}

}  // namespace
}  // namespace potok::desk
