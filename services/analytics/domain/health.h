// The colour of a flow, and why: pure, by the flow's own thresholds.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

#include "desk/flow/flow.h"

namespace potok::analytics {

enum class Colour { kGreen, kYellow, kRed };

// What the colour is judged by.
struct HealthFacts {
  int64_t queued = 0;
  int64_t overdue = 0;  // Open tickets past their term.
  int64_t judged = 0;   // Finished tickets with a term.
  int64_t on_time = 0;
  absl::Duration oldest_wait;  // Of the oldest queued ticket, zero when none waits.
};

struct HealthReason {
  std::string en;
  std::string ru;
};

struct Health {
  Colour colour = Colour::kGreen;
  std::vector<HealthReason> reasons;  // One for each fact that is not green, the worst first.
};

// A share of fewer finished tickets than this says nothing yet and is not judged.
inline constexpr int kFewestJudged = 5;

Health Judge(const desk::Flow& flow, const HealthFacts& facts);

}  // namespace potok::analytics
