#include "simulation/schedules.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace potok::simulation {
namespace {

// So many show whether they have one cause or several.
constexpr int kMostFailures = 10;

std::optional<std::int64_t> Number(const char* name) {
  const char* text = std::getenv(name);
  std::int64_t number = 0;
  if (text == nullptr || *text == 0) return std::nullopt;
  if (!absl::SimpleAtoi(text, &number) || number < 0) {
    ADD_FAILURE() << name << "=" << text << " is not a number";
    return std::nullopt;
  }
  return number;
}

std::uint64_t SeedOf(Simulation simulation, std::int64_t schedule) {
  return static_cast<std::uint64_t>(schedule) * kSimulations +
         static_cast<std::uint64_t>(simulation);
}

}  // namespace

std::int64_t RunSchedules(Simulation simulation, const RunSchedule& run) {
  if (const auto seed = Number("POTOK_SIMULATION_SEED")) {
    if (static_cast<std::uint64_t>(*seed) % kSimulations !=
        static_cast<std::uint64_t>(simulation)) {
      return 0;
    }
    const auto violation = run(static_cast<std::uint64_t>(*seed), /*trace=*/true);
    EXPECT_FALSE(violation.has_value()) << *violation << "\nPOTOK_SIMULATION_SEED=" << *seed;
    return 1;
  }
  std::int64_t schedules = kSchedulesOf.at(static_cast<size_t>(simulation));
  if (const auto in_all = Number("POTOK_SIMULATION_SCHEDULES")) {
    schedules = std::max<std::int64_t>(1, schedules * *in_all / kDefaultSchedules);
  }
  int failures = 0;
  for (std::int64_t schedule = 0; schedule < schedules; ++schedule) {
    const std::uint64_t seed = SeedOf(simulation, schedule);
    const auto violation = run(seed, /*trace=*/false);
    if (violation.has_value()) {
      ADD_FAILURE() << *violation << "\nPOTOK_SIMULATION_SEED=" << seed
                    << " simulation_test   replays this schedule and tells its story";
      if (++failures == kMostFailures) return schedule + 1;
    }
  }
  return schedules;
}

void ExpectFound(Simulation simulation, std::int64_t most, const RunSchedule& run) {
  if (Number("POTOK_SIMULATION_SEED")) GTEST_SKIP() << "one schedule is being replayed";
  for (std::int64_t schedule = 0; schedule < most; ++schedule) {
    const auto violation = run(SeedOf(simulation, schedule), /*trace=*/false);
    if (!violation.has_value()) continue;
    std::cout << "found by schedule " << schedule + 1 << ": " << *violation << "\n";
    return;
  }
  ADD_FAILURE() << "the planted flaw was not found in " << most << " schedules";
}

}  // namespace potok::simulation
