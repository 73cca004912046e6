// What one answer of the engine costs, on a calendar of 31 years with ten years of exceptions.
#include <benchmark/benchmark.h>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "desk/calendar/calendar.h"
#include "desk/calendar/ready_calendars.h"

namespace potok::desk {
namespace {

CalendarDefinition TenYearsOfExceptions() {
  CalendarDefinition definition = RussianProductionCalendar("ru", "Europe/Berlin");
  const std::vector<DayException> known = std::exchange(definition.exceptions, {});
  for (int year = 2020; year < 2030; ++year) {
    for (const DayException& exception : known) {
      if (exception.date.year() != 2026) continue;
      DayException copy = exception;
      copy.date = absl::CivilDay(year, exception.date.month(), exception.date.day());
      copy.kind = DayException::kHoliday;  // Valid on any weekday.
      definition.exceptions.push_back(std::move(copy));
    }
  }
  return definition;
}

const Calendar& Subject() {
  static const std::shared_ptr<const Calendar> calendar =
      *Calendar::Compile(TenYearsOfExceptions());
  return *calendar;
}

// Instants spread over ten years defeat the branch predictor and most of the cache, as a fleet of
// unrelated tickets does; kNear keeps them within a month, as live timers are.
enum Spread { kNear = 30, kFar = 3650 };

std::vector<absl::Time> Instants(Spread spread) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int64_t> micros(0, int64_t{86'400'000'000} * spread);
  const absl::Time first = absl::FromCivil(absl::CivilDay(2020, 1, 1), absl::UTCTimeZone());
  std::vector<absl::Time> instants;
  for (int i = 0; i < 4096; ++i) instants.push_back(first + absl::Microseconds(micros(random)));
  return instants;
}

void Add(benchmark::State& state) {
  const std::vector<absl::Time> instants = Instants(static_cast<Spread>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Subject().Add(instants[i++ & 4095], absl::Hours(16)));
  }
}
BENCHMARK(Add)->Arg(kNear)->Arg(kFar);

void Between(benchmark::State& state) {
  const std::vector<absl::Time> instants = Instants(static_cast<Spread>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Subject().Between(instants[i & 4095], instants[(i + 1) & 4095]));
    ++i;
  }
}
BENCHMARK(Between)->Arg(kNear)->Arg(kFar);

void Compile(benchmark::State& state) {
  const CalendarDefinition definition = TenYearsOfExceptions();
  for (auto _ : state) benchmark::DoNotOptimize(Calendar::Compile(definition));
}
BENCHMARK(Compile)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace potok::desk
