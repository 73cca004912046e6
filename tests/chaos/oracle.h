// What the callers of a run were told. The judge holds the database to it afterwards: an answer
// that was given must be true for good. Thread-safe. Instants are those of the monotonic clock.
#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "chaos/caller.h"

namespace potok::chaos {

absl::Duration Monotonic();

// A request that was filed, or that somebody tried to file.
struct Filing {
  int64_t index = 0;
  std::string requester;
  std::string request_id;
  std::string title;
  Told::Outcome outcome = Told::Outcome::kUnknown;
  int code = 0;  // gRPC's, of the last attempt.
  std::string why;
  std::string ticket;  // Id; of an acknowledged one.
  std::string number;
  absl::Duration due;       // When it was to be sent.
  absl::Duration answered;  // When the caller knew.
};

// An attempt to take one version of a queued ticket.
struct Pick {
  std::string ticket;
  std::string etag;
  std::string agent;
  Told::Outcome outcome = Told::Outcome::kUnknown;
};

// An acknowledged change of a ticket.
struct Act {
  std::string method;
  std::string ticket;
  std::string request_id;
};

class Oracle {
 public:
  void Add(Filing filing);
  void Add(Pick pick);
  void Add(Act act);

  std::vector<Filing> filings() const;
  std::vector<Pick> picks() const;
  std::vector<Act> acts() const;
  int64_t acknowledged() const;

  // The longest time in [from, to] in which no filing was acknowledged, its ends counting as if
  // there had been one.
  absl::Duration LongestGap(absl::Duration from, absl::Duration to) const;
  // Seconds from `due` to the answer of the acknowledged filings that were due in [from, to].
  std::vector<double> Latencies(absl::Duration from, absl::Duration to) const;

 private:
  mutable absl::Mutex mu_;
  std::vector<Filing> filings_ ABSL_GUARDED_BY(mu_);
  std::vector<Pick> picks_ ABSL_GUARDED_BY(mu_);
  std::vector<Act> acts_ ABSL_GUARDED_BY(mu_);
};

// The value below which `share` of the values lie; 0 of none.
double Quantile(std::vector<double> values, double share);

}  // namespace potok::chaos
