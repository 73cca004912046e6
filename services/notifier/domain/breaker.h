// Whether a provider is worth trying: opens when it fails too often, then probes now and then.
//
// While it is open nothing is taken from the queue and no attempt is spent, so an outage of an hour
// costs no notice its twelve tries. Time is any monotonic reading the caller brings. Pure; not
// thread-safe.
#pragma once

#include <deque>
#include <utility>

#include "absl/time/time.h"

namespace potok::notifier {

struct BreakerOptions {
  absl::Duration window = absl::Seconds(30);
  int least_calls = 20;        // Fewer say nothing.
  double failure_ratio = 0.5;  // At or above it, it opens.
  absl::Duration probe_every = absl::Seconds(10);
};

class Breaker {
 public:
  explicit Breaker(BreakerOptions options = {}) : options_(options) {}

  struct Permit {
    int sends = 0;
    int probe = 0;  // number of the probe that this is; 0 when it is none
  };
  // How many sends may be begun now, at most `wanted`: all while closed, one as a probe while open,
  // none in between. Taking the probe delays the next one.
  Permit Take(absl::Duration now, int wanted);
  // There was nothing to send under it: if it was the probe, that is still to be had.
  void GiveBack(const Permit& permit);

  // What became of a send. `healthy` is about the provider: a mailbox that does not exist is no
  // outage.
  void Record(absl::Duration now, bool healthy);
  // The provider asked for a rest.
  void PauseUntil(absl::Duration until);

  // How long Take will answer none.
  absl::Duration Wait(absl::Duration now) const;
  bool open() const { return open_; }

 private:
  void Forget(absl::Duration now);

  const BreakerOptions options_;
  std::deque<std::pair<absl::Duration, bool>> calls_;  // When, and whether it was healthy.
  int failures_ = 0;                                   // Among calls_.
  bool open_ = false;
  absl::Duration next_probe_ = -absl::InfiniteDuration();
  absl::Duration probe_before_ = -absl::InfiniteDuration();  // next_probe_ before the last probe.
  int probes_ = 0;  // Numbers them; also raised when it opens, which ends what came before.
  absl::Duration paused_until_ = -absl::InfiniteDuration();
};

}  // namespace potok::notifier
