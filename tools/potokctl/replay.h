// Plays a recorded incident log through a running Potok: the recorded people act at their recorded
// times, who gets each request is Potok's own decision, and the end sets the one beside the other.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "connection.h"

namespace potok::ctl {

struct ReplayOptions {
  std::string file;
  std::map<std::string, std::string> columns;  // Field -> column name, where the guess is wrong.
  double seconds = 0;                          // How long the play may take; 0 = 155.
  std::string calendar;  // Calendar id of the promises; empty = one that counts around the clock.
  std::string mode = "least-loaded";  // Or "round-robin".
};

// How the scaled clock must run for the log to fit into the time it has.
struct ReplayPlan {
  double time_scale = 1;  // Business seconds a real second.
  absl::Time
      time_origin;  // Business instant of the clock's start; a little before the first request.
  absl::Time end;   // Last action that is played.
};

// Reads the file only. An unreadable file or a missing column is an error that names the way out.
absl::StatusOr<ReplayPlan> PlanReplay(const ReplayOptions& options);

// Returns the process's exit status: 0 when everything was played and `verify` is clean. A repeated
// run goes on where the last one was: every call carries a request_id made from the case and the
// step.
int RunReplay(Connection& connection, const ReplayOptions& options);

// Reads the file and says what a replay would do, calling nothing.
int DescribeReplay(const ReplayOptions& options);

}  // namespace potok::ctl
