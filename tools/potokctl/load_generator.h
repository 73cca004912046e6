// Calls of one kind in great numbers, in a closed or an open loop, and how long each took.
#pragma once

#include <functional>
#include <grpcpp/grpcpp.h>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace potok::ctl {

struct LoadPlan {
  int slots = 256;  // Closed loop: calls in flight. Each slot sends its next call when the last was
                    // answered.
  double rate = 0;  // Open loop when > 0: calls a second, whatever the answers do.
  absl::Duration warm_up;  // Before anything is counted.
  absl::Duration length;   // Of what is counted; zero: `count` decides.
  int64_t count = 0;       // Ends after so many calls when > 0.
};

struct LoadResult {
  int64_t answered = 0;                   // OK, within the counted time.
  std::map<std::string, int64_t> failed;  // Status code and message -> how many.
  int64_t unsent = 0;     // Open loop: calls that were not sent because too many were unanswered.
  absl::Duration length;  // Counted time.
  std::vector<double>
      seconds;  // Of each answered call; in an open loop from when it should have been sent.
};

// Sends call number `i` and calls `done` once, from any thread.
using SendCall = std::function<void(int64_t i, std::function<void(const grpc::Status&)> done)>;

// Blocks until all is over and every call is answered.
LoadResult GenerateLoad(const LoadPlan& plan, const SendCall& send);

}  // namespace potok::ctl
