// The story of a company's days: what `tools/dev demo` plays without --data.
#pragma once

#include <string>

#include "absl/time/time.h"

#include "connection.h"

namespace potok::ctl {

// How the stack's clock must run for the days to pass within `seconds` (0: about a minute).
struct StoryPlan {
  double time_scale = 1;
  absl::Time time_origin;
};
StoryPlan PlanStory(double seconds);

// Sets the company up on a fresh stack whose clock runs as planned, plays its days and reports. The
// exit status is 0 when everything that was to be shown was seen and the ledger is clean. `stack`
// is the stack's directory, for the commands it ends with.
int RunStory(Connection& connection, const std::string& stack);

}  // namespace potok::ctl
