// The company that works during a run, set up through Potok's own calls: four flows, one of each
// way of distribution, with terms so short that timers fire all the time.
#pragma once

#include <string>
#include <vector>

#include "chaos/caller.h"

namespace potok::chaos {

struct Desk {
  std::string flow;  // Id.
  std::string prefix;
  api::v1::DistributionMode mode;
  std::string policy;
  std::vector<std::string> agents;  // Of line 1.
  std::vector<std::string> second_line;
  int cap = 0;
  bool accepts = true;  // The requester checks the result.
  double share = 0;     // Of all requests.
};

// "ring": round robin, swift terms, two lines.   "scale": least loaded.   "pick": self-pick,
// several race for each.   "hand": by hand.   "express": round robin with room for everything,
// whose agents never work: how long a request waits for its agent there is the router's doing
// alone.
const std::vector<Desk>& Desks();
const Desk& DeskOf(const std::string& flow);
constexpr int kRequesters = 40;
std::string RequesterName(int i);  // Employee id. Every eighth has a mail address.
inline const char* const kHead = "head";

// Everything, agents online. Dies when a call fails.
void SetUpCompany(Caller& caller, uint64_t seed);

}  // namespace potok::chaos
