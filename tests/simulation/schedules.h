// Runs a suite of schedules, or the one that POTOK_SIMULATION_SEED names.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string>

namespace potok::simulation {

// Each simulation has its own seeds: seed % kSimulations says which one it is of, so that a number
// alone replays a schedule.
enum class Simulation : std::uint64_t { kTransport, kLeases, kTimers, kRouting, kBreaker };
inline constexpr std::uint64_t kSimulations = 8;

// How many schedules the suite runs of each, and of all.
inline constexpr std::array<std::int64_t, 5> kSchedulesOf = {25'000, 25'000, 20'000, 25'000,
                                                             25'000};
inline constexpr std::int64_t kDefaultSchedules =
    std::accumulate(kSchedulesOf.begin(), kSchedulesOf.end(), std::int64_t{0});
static_assert(kDefaultSchedules >= 100'000, "what the suite promises");

// What went wrong in a schedule, or nothing.
using RunSchedule = std::function<std::optional<std::string>(std::uint64_t seed, bool trace)>;

// Runs as many as kSchedulesOf says (more or fewer in proportion when POTOK_SIMULATION_SCHEDULES
// says how many there shall be in all) and fails at the first that goes wrong, naming its seed.
// With POTOK_SIMULATION_SEED it runs that one alone and tells its story, if it is of this
// simulation. Returns how many were run.
std::int64_t RunSchedules(Simulation simulation, const RunSchedule& run);

// A planted flaw is found within `most` schedules; says by which. Skipped while one seed is
// replayed.
void ExpectFound(Simulation simulation, std::int64_t most, const RunSchedule& run);

}  // namespace potok::simulation
