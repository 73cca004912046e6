#include "desk/calendar/calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "desk/calendar/ready_calendars.h"

namespace potok::desk {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const Calendar> MustCompile(CalendarDefinition definition) {
  auto calendar = Calendar::Compile(std::move(definition));
  EXPECT_TRUE(calendar.ok()) << calendar.status();
  return *calendar;
}

// A calendar together with its wall clock, so that cases can be written as people say them.
class Office {
 public:
  explicit Office(CalendarDefinition definition) : calendar_(MustCompile(std::move(definition))) {
    EXPECT_TRUE(absl::LoadTimeZone(calendar_->definition().zone, &zone_));
  }

  const Calendar& calendar() const { return *calendar_; }

  absl::Time At(absl::string_view wall) const {
    absl::Time t;
    std::string error;
    EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", wall, zone_, &t, &error))
        << wall << ": " << error;
    return t;
  }
  std::string Wall(absl::Time t) const { return absl::FormatTime("%Y-%m-%d %H:%M", t, zone_); }

  std::string Due(absl::string_view start, absl::Duration term) const {
    return Wall(calendar_->Add(At(start), term));
  }
  absl::Duration Worked(absl::string_view a, absl::string_view b) const {
    return calendar_->Between(At(a), At(b));
  }
  std::vector<std::string> Explained(absl::string_view a, absl::string_view b) const {
    std::vector<std::string> lines;
    for (const CountedSpan& span : calendar_->Explain(At(a), At(b))) {
      lines.push_back(absl::StrCat(absl::FormatTime("%d %H:%M", span.start, zone_), " - ",
                                   absl::FormatTime("%d %H:%M", span.end, zone_),
                                   span.counted ? " + " : " - ", span.cause,
                                   span.name_en.empty() ? "" : ": ", span.name_en));
    }
    return lines;
  }

 private:
  std::shared_ptr<const Calendar> calendar_;
  absl::TimeZone zone_;
};

Office Moscow() { return Office(RussianProductionCalendar("ru", "Europe/Moscow")); }

// 00:00-04:00 every day in a zone that changes its clocks at night.
Office NightShift(std::string zone) {
  CalendarDefinition shift;
  shift.id = "night";
  shift.zone = std::move(zone);
  shift.week.fill({{0, 240}});
  return Office(std::move(shift));
}

TEST(CalendarAdd, TermsEndWhereAPersonWouldSay) {
  const Office office = Moscow();
  struct Case {
    const char* what;
    const char* start;
    absl::Duration term;
    const char* due;
  };
  const Case cases[] = {
      {"within the morning", "2026-03-02 09:30", absl::Hours(2), "2026-03-02 11:30"},
      {"over lunch", "2026-03-02 12:00", absl::Hours(2), "2026-03-02 15:00"},
      {"to the minute lunch starts", "2026-03-02 09:00", absl::Hours(4), "2026-03-02 13:00"},
      {"filed during lunch", "2026-03-02 13:20", absl::Hours(1), "2026-03-02 15:00"},
      {"to the end of the day, not the next morning", "2026-03-02 16:00", absl::Hours(2),
       "2026-03-02 18:00"},
      {"one minute more is the next morning", "2026-03-02 16:00", absl::Minutes(121),
       "2026-03-03 09:01"},
      {"filed Friday evening", "2026-03-13 20:00", absl::Hours(1), "2026-03-16 10:00"},
      {"two working days over a weekend", "2026-03-13 15:00", absl::Hours(16), "2026-03-17 15:00"},
      {"over a holiday weekend and the moved Monday", "2026-03-06 17:00", absl::Hours(2),
       "2026-03-10 10:00"},
      {"a shortened day ends at 17:00", "2026-04-30 16:00", absl::Hours(2), "2026-05-04 10:00"},
      {"a working Saturday counts", "2024-04-26 17:00", absl::Hours(2), "2024-04-27 10:00"},
      {"a working shortened Saturday ends at 17:00", "2024-11-02 16:00", absl::Hours(2),
       "2024-11-05 10:00"},
      {"over the new year", "2025-12-30 17:00", absl::Hours(2), "2026-01-12 10:00"},
      {"nothing to work is due at once, even at night", "2026-03-02 22:00", absl::ZeroDuration(),
       "2026-03-02 22:00"},
      {"back over lunch", "2026-03-02 15:00", -absl::Hours(2), "2026-03-02 12:00"},
      {"back to the start of the day, not the evening before", "2026-03-03 11:00", -absl::Hours(2),
       "2026-03-03 09:00"},
      {"back over the weekend", "2026-03-16 10:00", -absl::Hours(2), "2026-03-13 17:00"},
  };
  for (const Case& c : cases) EXPECT_EQ(office.Due(c.start, c.term), c.due) << c.what;
}

TEST(CalendarBetween, CountsOnlyWorkAndKeepsTheSign) {
  const Office office = Moscow();
  EXPECT_EQ(office.Worked("2026-03-02 08:00", "2026-03-02 20:00"), absl::Hours(8));
  EXPECT_EQ(office.Worked("2026-03-02 12:30", "2026-03-02 14:15"), absl::Minutes(45));
  EXPECT_EQ(office.Worked("2026-03-13 17:00", "2026-03-16 10:00"), absl::Hours(2));
  EXPECT_EQ(office.Worked("2026-03-16 10:00", "2026-03-13 17:00"), -absl::Hours(2));
  EXPECT_EQ(office.Worked("2026-03-07 00:00", "2026-03-10 00:00"), absl::ZeroDuration());
}

TEST(CalendarIsWorking, IntervalsAreHalfOpenToTheMicrosecond) {
  const Office office = Moscow();
  const absl::Duration tick = absl::Microseconds(1);
  for (const char* start : {"2026-03-02 09:00", "2026-03-02 14:00"}) {
    EXPECT_TRUE(office.calendar().IsWorking(office.At(start))) << start;
    EXPECT_FALSE(office.calendar().IsWorking(office.At(start) - tick)) << start;
  }
  for (const char* end : {"2026-03-02 13:00", "2026-03-02 18:00", "2026-04-30 17:00"}) {
    EXPECT_FALSE(office.calendar().IsWorking(office.At(end))) << end;
    EXPECT_TRUE(office.calendar().IsWorking(office.At(end) - tick)) << end;
  }
}

TEST(CalendarClockChange, SkippedHourIsNotWorkedAndRepeatedHourIsWorkedTwice) {
  const Office berlin = NightShift("Europe/Berlin");
  EXPECT_EQ(berlin.Worked("2026-03-28 00:00", "2026-03-28 12:00"), absl::Hours(4));
  EXPECT_EQ(berlin.Worked("2026-03-29 00:00", "2026-03-29 12:00"), absl::Hours(3));
  EXPECT_EQ(berlin.Worked("2026-10-25 00:00", "2026-10-25 12:00"), absl::Hours(5));
  EXPECT_EQ(berlin.Due("2026-03-29 01:30", absl::Hours(1)), "2026-03-29 03:30");

  // Here the clock goes back over midnight itself, from 24:00 to 23:00.
  CalendarDefinition evening;
  evening.id = "evening";
  evening.zone = "Asia/Beirut";
  evening.week.fill({{1320, 1440}});
  const Office beirut(evening);
  EXPECT_EQ(beirut.Worked("2026-10-24 12:00", "2026-10-25 12:00"), absl::Hours(3));
  EXPECT_EQ(beirut.Worked("2026-10-25 12:00", "2026-10-26 12:00"), absl::Hours(2));
}

TEST(CalendarClockChange, DaysFarAheadFollowTheRuleOfTheZone) {
  const Office berlin = NightShift("Europe/Berlin");
  EXPECT_EQ(berlin.Worked("2044-03-27 00:00", "2044-03-27 12:00"), absl::Hours(3));
  EXPECT_EQ(berlin.Worked("2044-10-30 00:00", "2044-10-30 12:00"), absl::Hours(5));
}

TEST(CalendarRange, AnswersBeyondTheCompiledYearsAreFinite) {
  const auto calendar = Calendar::Compile(RussianProductionCalendar("ru", "UTC"), 2024, 2027);
  ASSERT_TRUE(calendar.ok());
  const Calendar& c = **calendar;
  const absl::Time last_evening =
      c.end() - absl::Hours(6);  // 18:00 of Friday 2027-12-31, a day off.
  EXPECT_EQ(c.Add(last_evening, absl::Microseconds(1)), c.end());
  EXPECT_EQ(c.Add(c.begin(), absl::InfiniteDuration()), c.end());
  EXPECT_EQ(c.Add(c.end(), -absl::InfiniteDuration()), c.begin());
  EXPECT_EQ(c.Add(c.end() + absl::Hours(5), absl::Hours(1)), c.end() + absl::Hours(5));
  EXPECT_EQ(c.Between(absl::InfinitePast(), absl::InfiniteFuture()), absl::Hours(1979 + 3 * 1972));
  EXPECT_EQ(c.Between(c.end(), absl::InfiniteFuture()), absl::ZeroDuration());
  EXPECT_FALSE(c.IsWorking(absl::InfiniteFuture()));
  EXPECT_FALSE(c.IsWorking(absl::InfinitePast()));
}

TEST(CalendarRange, YearsOutOfOrderAreRefused) {
  EXPECT_EQ(Calendar::Compile(AroundTheClock("24x7", "UTC"), 2027, 2026).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CalendarNormalDay, IsTheLongestWeekdayWhateverTheExceptions) {
  CalendarDefinition uneven;
  uneven.id = "uneven";
  uneven.zone = "UTC";
  uneven.week[0] = {{600, 720}};
  uneven.week[2] = {{540, 720}, {780, 1110}};
  uneven.exceptions = {{absl::CivilDay(2026, 3, 7), DayException::kWorking, "", "",
                        std::vector<DayInterval>{{0, 1440}}}};
  EXPECT_EQ(Office(uneven).calendar().NormalDay(), absl::Minutes(510));
}

TEST(CalendarExplain, NamesTheCauseOfEverySpan) {
  EXPECT_THAT(Moscow().Explained("2026-04-30 12:30", "2026-05-05 09:30"),
              ElementsAre("30 12:30 - 30 13:00 + working", "30 13:00 - 30 14:00 - lunch",
                          "30 14:00 - 30 17:00 + working",
                          "30 17:00 - 30 18:00 - shortened: Day before a holiday",
                          "30 18:00 - 01 00:00 - night",
                          "01 00:00 - 02 00:00 - holiday: Holiday of Spring and Labor",
                          "02 00:00 - 04 00:00 - weekend", "04 00:00 - 04 09:00 - night",
                          "04 09:00 - 04 13:00 + working", "04 13:00 - 04 14:00 - lunch",
                          "04 14:00 - 04 18:00 + working", "04 18:00 - 05 09:00 - night",
                          "05 09:00 - 05 09:30 + working"));
  EXPECT_THAT(Moscow().Explained("2024-11-02 15:00", "2024-11-04 12:00"),
              ElementsAre("02 15:00 - 02 17:00 + working: Working Saturday",
                          "02 17:00 - 02 18:00 - shortened: Working Saturday",
                          "02 18:00 - 03 00:00 - night", "03 00:00 - 04 00:00 - weekend",
                          "04 00:00 - 04 12:00 - holiday: Unity Day"));
  EXPECT_THAT(Moscow().Explained("2026-03-09 10:00", "2026-03-10 09:00"),
              ElementsAre("09 10:00 - 10 00:00 - day_off: International Women's Day (observed)",
                          "10 00:00 - 10 09:00 - night"));
}

TEST(CalendarExplain, GivesTheRussianNamesToo) {
  const Office office = Moscow();
  const auto spans =
      office.calendar().Explain(office.At("2026-11-04 10:00"), office.At("2026-11-04 11:00"));
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name_ru, "День народного единства");
}

TEST(CalendarExplain, SaysWhatLiesBeyondTheCalendar) {
  const auto calendar = Calendar::Compile(AroundTheClock("24x7", "UTC"), 2026, 2026);
  ASSERT_TRUE(calendar.ok());
  const Calendar& c = **calendar;
  const auto spans = c.Explain(c.begin() - absl::Hours(1), c.end() + absl::Hours(1));
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].cause, "beyond_calendar");
  EXPECT_EQ(spans[1].cause, "working");
  EXPECT_EQ(spans[2].cause, "beyond_calendar");
  EXPECT_EQ(spans[2].end, c.end() + absl::Hours(1));
  EXPECT_TRUE(c.Explain(c.end(), c.begin()).empty());
  EXPECT_EQ(c.Explain(c.end() + absl::Hours(1), c.end() + absl::Hours(2)).size(), 1u);
}

}  // namespace
}  // namespace potok::desk
