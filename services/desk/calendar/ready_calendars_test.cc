#include "desk/calendar/ready_calendars.h"

#include <gtest/gtest.h>

#include "desk/calendar/calendar.h"

namespace potok::desk {
namespace {

struct Norm {
  int year;
  int days;
  int hours;
};

// The norms of a 40-hour week the Ministry of Labour publishes for each year.
class OfficialNorm : public ::testing::TestWithParam<Norm> {};

TEST_P(OfficialNorm, DaysAndHoursOfTheYearMatch) {
  const Norm& norm = GetParam();
  const auto calendar = Calendar::Compile(RussianProductionCalendar("ru", "Europe/Moscow"));
  ASSERT_TRUE(calendar.ok()) << calendar.status();
  const absl::TimeZone zone = absl::FixedTimeZone(3 * 60 * 60);

  int days = 0;
  for (absl::CivilDay day(norm.year, 1, 1); day.year() == norm.year; ++day) {
    const absl::Time midnight = absl::FromCivil(day, zone);
    if ((*calendar)->Between(midnight, midnight + absl::Hours(24)) > absl::ZeroDuration()) ++days;
  }
  EXPECT_EQ(days, norm.days);
  EXPECT_EQ((*calendar)->Between(absl::FromCivil(absl::CivilYear(norm.year), zone),
                                 absl::FromCivil(absl::CivilYear(norm.year + 1), zone)),
            absl::Hours(norm.hours));
}

INSTANTIATE_TEST_SUITE_P(Years, OfficialNorm,
                         ::testing::Values(Norm{2024, 248, 1979}, Norm{2025, 247, 1972},
                                           Norm{2026, 247, 1972}, Norm{2027, 247, 1972}),
                         [](const auto& info) { return std::to_string(info.param.year); });

TEST(RussianProductionCalendar, FollowsTheZoneItIsGiven) {
  const auto calendar = Calendar::Compile(RussianProductionCalendar("ru-vl", "Asia/Vladivostok"));
  ASSERT_TRUE(calendar.ok());
  // 9:00 in Vladivostok (UTC+10) is 23:00 UTC of the day before.
  const absl::Time nine =
      absl::FromCivil(absl::CivilSecond(2026, 3, 1, 23, 0, 0), absl::UTCTimeZone());
  EXPECT_TRUE((*calendar)->IsWorking(nine));
  EXPECT_FALSE((*calendar)->IsWorking(nine - absl::Microseconds(1)));
}

TEST(RussianProductionCalendar, NormalDayIsEightHours) {
  const auto calendar = Calendar::Compile(RussianProductionCalendar("ru", "Europe/Moscow"));
  ASSERT_TRUE(calendar.ok());
  EXPECT_EQ((*calendar)->NormalDay(), absl::Hours(8));
}

TEST(AroundTheClock, EveryInstantCountsAcrossClockChanges) {
  const auto calendar = Calendar::Compile(AroundTheClock("24x7", "America/New_York"));
  ASSERT_TRUE(calendar.ok());
  const absl::Time start =
      absl::FromCivil(absl::CivilSecond(2026, 1, 1, 4, 5, 6), absl::UTCTimeZone());
  for (int day = 0; day < 400; ++day) {
    const absl::Duration d = absl::Hours(24 * day) + absl::Microseconds(7);
    EXPECT_EQ((*calendar)->Add(start, d), start + d);
    EXPECT_EQ((*calendar)->Between(start, start + d), d);
  }
  EXPECT_EQ((*calendar)->NormalDay(), absl::Hours(24));
  EXPECT_EQ((*calendar)->Explain(start, start + absl::Hours(9000)).size(), 1u);
}

}  // namespace
}  // namespace potok::desk
