// One schedule of the timers: rows that are armed, paused, armed anew, and one or two processes
// that fire them, with the real picture of due timers, budget and jump guard between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace potok::simulation {

enum class TimerFlaw {
  kNone,
  kBelievesItsClock,   // the database does not check the instant
  kIgnoresJumps,       // fires while the clock has just jumped
  kTellsBoth,          // a half reminder although the breach is due too
  kNoBudget,           // a backlog goes without its rate
  kIgnoresTheLease,    // a former owner fires too
  kIgnoresGeneration,  // what was armed by an older clock fires
  kForgetsOnError,     // what was asked for is not looked at again
  kReadsOnce,          // the window is never read anew
};

struct TimerResult {
  std::optional<std::string> violation;
  std::int64_t fired = 0;
  std::int64_t skipped = 0;
  std::int64_t held = 0;  // turns in which a jump held everything
};

TimerResult RunTimers(std::uint64_t seed, TimerFlaw flaw, bool trace);

}  // namespace potok::simulation
