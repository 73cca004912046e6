// The company that the benchmark loads: people, desks, and one ticket of each age to copy from.
#pragma once

#include "absl/status/status.h"

#include "connection.h"

namespace potok::ctl {

struct LoadCompany {
  int requesters = 32;  // load-0, load-1, ... as potokctl load has them.
  int desks = 4;        // Flows turn-0, ... that give away by themselves.
  int agents = 40;      // Online at each of them, 1000 tickets each at most.
  int behind = 10;      // Flows behind-0, ... that hold what was there before; theirs is by hand.
  int behind_agents = 40;
};

// People who file, and a flow `load` that nobody works on: what is measured is filing, not what
// follows. Legal again and again.
absl::Status SetUpFiling(Connection& connection, int requesters);

// All of it, once, and in behind-0 a ticket that is queued, one that is assigned, in progress,
// resolved, closed, and closed and rated: what is copied a million times must be what Potok writes.
absl::Status SetUpLoadCompany(Connection& connection, const LoadCompany& company);

}  // namespace potok::ctl
