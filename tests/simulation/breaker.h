// One schedule of the breaker: workers that share it, a provider that comes and goes, and an oracle
// that remembers every call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace potok::simulation {

enum class BreakerFlaw {
  kNone,
  kNeverCloses,        // a healthy probe is not told
  kOpensLate,          // 21 calls instead of 20
  kOpensEarly,         // at 40 %
  kRemembersLonger,    // 40 s
  kProbesTooOften,     // each 5 s
  kIgnoresOpen,        // everybody sends while it is open
  kAnybodyFreesProbe,  // who finds nothing to send frees whatever probe there is
};

struct BreakerResult {
  std::optional<std::string> violation;
  std::int64_t sends = 0;
  std::int64_t openings = 0;
  std::int64_t probes = 0;
};

BreakerResult RunBreaker(std::uint64_t seed, BreakerFlaw flaw, bool trace);

}  // namespace potok::simulation
