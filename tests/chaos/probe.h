// What rows measure and prove by looking into the database, past all links. Instants are seconds of
// the database's clock (Plant::Now).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "chaos/plant.h"
#include "chaos/row.h"

namespace potok::chaos {

// Names of the leases that a replica holds now, all of them or those of one family ("relay").
std::vector<std::string> LeasesOf(Plant& plant, const Service& service,
                                  const std::string& family = "");

// Until each lease has had its owner for longer than a ttl. False when that takes too long.
bool AwaitSettledLeases(Plant& plant, absl::Duration patience);

struct Takeover {
  int taken = 0;       // Of the leases.
  int left = 0;        // Not taken within the patience.
  double seconds = 0;  // Until the last of them was taken.
};
// Waits until each of the leases was gained by somebody after `since`.
Takeover AwaitTakeover(Plant& plant, const std::vector<std::string>& leases, double since,
                       absl::Duration patience = absl::Seconds(20));
// Counts it as bite and figure: "takeovers", "takeover" with its bound in seconds.
void CountTakeover(Scene& scene, const Takeover& takeover, double bound);

// Waits for backends of a service ("router") that have written something in a transaction that is
// still open, and is quick about it: a transaction lasts milliseconds. `at` is when they were seen.
std::vector<int> AwaitOpenWriters(Plant& plant, const std::string& service, double* at,
                                  absl::Duration patience = absl::Seconds(10));
// How many of these backends are gone or have given up that transaction.
int RolledBack(Plant& plant, const std::vector<int>& writers, absl::Duration patience);

// Longest wait of a request of flow "express" for its agent, of those filed in [from, to]; requests
// that still wait count until `to`.
double LongestAssign(Plant& plant, double from, double to);
double AssignQuantile(Plant& plant, double from, double to, double share);
// Real seconds that the latest timer of those fired in [from, to] was late; 0 when none fired.
double LatestTimer(Plant& plant, double from, double to);
int64_t TimersFired(Plant& plant, double from, double to);

// When filing was as fast again as before: the earliest instant after `since` from which on the p99
// of two seconds is at most three times `before` (never asked below 250 ms: the machine is shared).
// Seconds after `since`; nothing when it did not come to that by `until`.
std::optional<double> BackToNormal(const Oracle& oracle, absl::Duration since, absl::Duration until,
                                   double before);

}  // namespace potok::chaos
