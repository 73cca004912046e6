// One schedule of the routing: people who come and go, requests that come, are declined, finished
// and given back, and passes of the real plan over what was read and what the locks show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace potok::simulation {

enum class RoutingFlaw {
  kNone,
  kCapIsOneTooHigh,
  kTotalCapIsForgotten,
  kLoadsAreStale,      // of the pass before
  kCursorIsLost,       // the turn begins anew with each pass
  kDeclinesForgotten,  // a request comes back to whoever declined it
  kGuardIsMissing,     // taking by hand asks nobody
  kReturnKeepsSlot,    // a request that is given back still counts
  kOrderIsByNumber,    // the queue is not ordered by urgency and wait
  kSkipsTheLast,       // a pass looks at all requests but one
  kPlansOnlyOnce,      // what was read before the locks is carried out under them
};

struct RoutingResult {
  std::optional<std::string> violation;
  std::int64_t assigned = 0;
  std::int64_t declined = 0;
  std::int64_t left_waiting = 0;
};

RoutingResult RunRouting(std::uint64_t seed, RoutingFlaw flaw, bool trace);

}  // namespace potok::simulation
