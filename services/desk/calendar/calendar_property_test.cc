// The engine against a brute-force oracle that walks minute by minute and asks the zone what the
// clock on the wall shows. It shares nothing with the engine but the definition.
#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <rapidcheck/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "desk/calendar/calendar.h"

namespace potok::desk {
namespace {

class Oracle {
 public:
  static constexpr int kDays = 12;

  Oracle(const CalendarDefinition& definition, absl::Time start) : start_(start), worked_{0} {
    absl::TimeZone zone;
    RC_ASSERT(absl::LoadTimeZone(definition.zone, &zone));
    for (int minute = 0; minute < kDays * kMinutesOfDay; ++minute) {
      const absl::CivilSecond wall = zone.At(start + absl::Minutes(minute)).cs;
      working_.push_back(WallClockCounts(definition, wall));
      worked_.push_back(worked_.back() + (working_.back() ? 1 : 0));
    }
  }

  absl::Time At(int minute) const { return start_ + absl::Minutes(minute); }
  bool Working(int minute) const { return working_[minute]; }
  absl::Duration Between(int a, int b) const { return absl::Minutes(worked_[b] - worked_[a]); }
  int Total() const { return worked_.back(); }
  int WorkedBy(int minute) const { return worked_[minute]; }
  // First minute mark by which `target` minutes have been worked since the window began.
  int Reached(int target) const {
    return static_cast<int>(std::lower_bound(worked_.begin(), worked_.end(), target) -
                            worked_.begin());
  }

 private:
  static bool WallClockCounts(const CalendarDefinition& definition, const absl::CivilSecond& wall) {
    const int minute = wall.hour() * 60 + wall.minute();
    const absl::CivilDay date(wall);
    const auto inside = [minute](const std::vector<DayInterval>& hours) {
      return std::any_of(hours.begin(), hours.end(), [minute](const DayInterval& interval) {
        return minute >= interval.start_minute && minute < interval.end_minute;
      });
    };
    const auto& week = definition.week[static_cast<size_t>(absl::GetWeekday(date))];
    for (const DayException& exception : definition.exceptions) {
      if (exception.date != date) continue;
      if (exception.kind == DayException::kHoliday) return false;
      if (exception.hours.has_value()) return inside(*exception.hours);
      // Shortened: worked unless fewer than 60 minutes of work remain after this one.
      if (!inside(week)) return false;
      int left = 0;
      for (int later = minute + 1; later < kMinutesOfDay; ++later) {
        left += std::any_of(week.begin(), week.end(), [later](const DayInterval& interval) {
          return later >= interval.start_minute && later < interval.end_minute;
        });
      }
      return left >= 60;
    }
    return inside(week);
  }

  absl::Time start_;
  std::vector<bool> working_;
  std::vector<int> worked_;
};

rc::Gen<std::vector<DayInterval>> GenHours() {
  // Edges at full minutes anywhere in the day, 0:00 and 24:00 included, taken in pairs.
  return rc::gen::map(
      rc::gen::pair(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, kMinutesOfDay + 1)),
                    rc::gen::inRange(0, 4)),
      [](std::pair<std::vector<int>, int> drawn) {
        std::vector<int>& edges = drawn.first;
        if (drawn.second == 1) edges = {9 * 60, 13 * 60, 14 * 60, 18 * 60};
        if (drawn.second == 2) edges.push_back(kMinutesOfDay);
        if (drawn.second == 3) edges.push_back(0);
        std::sort(edges.begin(), edges.end());
        edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
        std::vector<DayInterval> hours;
        for (size_t i = 0; i + 1 < edges.size(); i += 2) hours.push_back({edges[i], edges[i + 1]});
        return hours;
      });
}

// A window that starts some days before a clock change of the zone, or on any day where there is
// none.
struct Place {
  std::string zone;
  absl::CivilDay near;
};

struct World {
  CalendarDefinition definition;
  absl::Time start;
};

World DrawWorld() {
  static const std::vector<Place> places = {
      {"Europe/Moscow", absl::CivilDay(2026, 5, 9)},
      {"UTC", absl::CivilDay(2024, 2, 29)},
      {"Europe/Berlin", absl::CivilDay(2026, 3, 29)},
      {"Europe/Berlin", absl::CivilDay(2026, 10, 25)},
      {"Europe/Berlin", absl::CivilDay(2040, 3, 25)},
      {"America/New_York", absl::CivilDay(2026, 3, 8)},
      {"America/New_York", absl::CivilDay(2026, 11, 1)},
      {"Asia/Beirut", absl::CivilDay(2026, 3, 29)},
      {"Asia/Beirut", absl::CivilDay(2026, 10, 25)},
      {"Australia/Lord_Howe", absl::CivilDay(2026, 4, 5)},
      {"Australia/Lord_Howe", absl::CivilDay(2026, 10, 4)},
      {"Asia/Kathmandu", absl::CivilDay(2026, 1, 1)},
      {"Antarctica/Troll", absl::CivilDay(2026, 3, 29)},
      {"America/Sao_Paulo", absl::CivilDay(2018, 11, 4)},
      {"Pacific/Apia", absl::CivilDay(2011, 12, 30)},
      {"Africa/Casablanca", absl::CivilDay(2026, 2, 15)},
  };
  const Place place = places[*rc::gen::inRange<size_t>(0, places.size())];
  World world;
  world.definition.id = "any";
  world.definition.zone = place.zone;
  for (auto& day : world.definition.week) day = *GenHours();
  const size_t never_empty = *rc::gen::inRange<size_t>(0, 7);
  if (world.definition.week[never_empty].empty())
    world.definition.week[never_empty] = {{540, 1440}};

  const absl::CivilDay first = place.near - *rc::gen::inRange(0, Oracle::kDays);
  for (int day = 0; day <= Oracle::kDays; ++day) {
    const int fate = *rc::gen::inRange(0, 8);
    DayException exception{first + day, DayException::kHoliday, "", ""};
    if (fate == 1) {
      exception.hours = *GenHours();
      if (exception.hours->empty()) exception.hours = std::vector<DayInterval>{{600, 601}};
      exception.kind = DayException::kWorking;
    } else if (fate == 2) {
      if (world.definition.week[static_cast<size_t>(absl::GetWeekday(exception.date))].empty())
        continue;
      exception.kind = DayException::kShortened;
    } else if (fate != 0) {
      continue;
    }
    world.definition.exceptions.push_back(exception);
  }
  absl::TimeZone zone;
  RC_ASSERT(absl::LoadTimeZone(place.zone, &zone));
  world.start = absl::FromCivil(first, zone);
  return world;
}

std::shared_ptr<const Calendar> Compiled(const World& world) {
  const int year = absl::ToCivilYear(world.start, absl::UTCTimeZone()).year();
  auto calendar = Calendar::Compile(world.definition, year - 2, year + 2);
  RC_ASSERT(calendar.ok());
  return *calendar;
}

int DrawMinute() { return *rc::gen::inRange(0, Oracle::kDays * kMinutesOfDay); }

RC_GTEST_PROP(CalendarAgainstOracle, EveryMinuteIsJudgedAlike, ()) {
  const World world = DrawWorld();
  const auto calendar = Compiled(world);
  const Oracle oracle(world.definition, world.start);
  for (int minute = 0; minute < Oracle::kDays * kMinutesOfDay; ++minute) {
    RC_ASSERT(calendar->IsWorking(oracle.At(minute)) == oracle.Working(minute));
    RC_ASSERT(calendar->Between(oracle.At(0), oracle.At(minute)) == oracle.Between(0, minute));
  }
}

RC_GTEST_PROP(CalendarAgainstOracle, BetweenAndAddAgreeWithCountedMinutes, ()) {
  const World world = DrawWorld();
  const auto calendar = Compiled(world);
  const Oracle oracle(world.definition, world.start);
  for (int trial = 0; trial < 200; ++trial) {
    const int a = DrawMinute();
    const int b = DrawMinute();
    RC_ASSERT(calendar->Between(oracle.At(a), oracle.At(b)) == oracle.Between(a, b));
    const int left = oracle.Total() - oracle.WorkedBy(a);
    if (left == 0) continue;
    const int term = *rc::gen::inRange(1, left + 1);
    RC_ASSERT(calendar->Add(oracle.At(a), absl::Minutes(term)) ==
              oracle.At(oracle.Reached(oracle.WorkedBy(a) + term)));
  }
}

RC_GTEST_PROP(CalendarLaws, AddAndBetweenAreInverseToTheMicrosecond, ()) {
  const World world = DrawWorld();
  const auto calendar = Compiled(world);
  const auto draw_instant = [&] {
    return world.start + absl::Microseconds(*rc::gen::inRange<int64_t>(
                             0, int64_t{86'400'000'000} * Oracle::kDays));
  };
  for (int trial = 0; trial < 50; ++trial) {
    const absl::Time t = draw_instant();
    const absl::Duration d = absl::Microseconds(*rc::gen::inRange<int64_t>(1, 40'000'000'000));
    const absl::Time due = calendar->Add(t, d);
    const absl::Duration tick = absl::Microseconds(1);
    RC_ASSERT(calendar->Between(t, due) == d);
    RC_ASSERT(calendar->Between(t, due - tick) == d - tick);  // The earliest such instant.
    const absl::Time before = calendar->Add(t, -d);
    RC_ASSERT(calendar->Between(before, t) == d);
    RC_ASSERT(calendar->Between(before + tick, t) == d - tick);  // The latest such instant.

    const absl::Time u = draw_instant();
    RC_ASSERT(calendar->Between(t, u) == -calendar->Between(u, t));
    RC_ASSERT(calendar->Between(t, u) + calendar->Between(u, due) == d);
    if (t < u) RC_ASSERT(calendar->Add(t, calendar->Between(t, u)) <= u);
    const absl::Duration more = absl::Microseconds(*rc::gen::inRange<int64_t>(1, 40'000'000'000));
    RC_ASSERT(calendar->Add(due, more) == calendar->Add(t, d + more));  // Two steps are one.
  }
}

RC_GTEST_PROP(CalendarLaws, ExplainCoversTheSpanAndAddsUpToBetween, ()) {
  const World world = DrawWorld();
  const auto calendar = Compiled(world);
  const absl::Time a = world.start + absl::Minutes(DrawMinute());
  const absl::Time b = a + absl::Minutes(DrawMinute() + 1);
  absl::Time at = a;
  absl::Duration counted;
  for (const CountedSpan& span : calendar->Explain(a, b)) {
    RC_ASSERT(span.start == at);
    RC_ASSERT(span.end > span.start);
    RC_ASSERT(calendar->Between(span.start, span.end) ==
              (span.counted ? span.end - span.start : absl::ZeroDuration()));
    if (span.counted) counted += span.end - span.start;
    at = span.end;
  }
  RC_ASSERT(at == b);
  RC_ASSERT(counted == calendar->Between(a, b));
}

}  // namespace
}  // namespace potok::desk
