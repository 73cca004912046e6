// How much of a backlog may be worked off now: so many a second, and no more than one second's
// worth saved up.
#pragma once

#include <algorithm>
#include <cstddef>

#include "absl/time/time.h"

namespace potok::sla_timer {

// Pure: the caller brings a monotonic clock. Not thread-safe.
class TokenBucket {
 public:
  explicit TokenBucket(double per_second) : per_second_(per_second), saved_(per_second) {}

  // Whole tokens at `monotonic`, which never goes back.
  size_t Available(absl::Duration monotonic) {
    const double grown = absl::ToDoubleSeconds(monotonic - filled_at_) * per_second_;
    saved_ = std::min(per_second_, saved_ + std::max(0.0, grown));
    filled_at_ = monotonic;
    // What is owed is below zero, which no size_t can tell.
    return saved_ < 1.0 ? 0 : static_cast<size_t>(saved_);
  }
  // Tokens taken beyond what was there are owed.
  void Spend(size_t tokens) { saved_ -= static_cast<double>(tokens); }
  // Until there is at least one token; zero only when there is one.
  absl::Duration UntilNext() const {
    if (saved_ >= 1.0) return absl::ZeroDuration();
    // The last thousandths of a token would round to no wait at all, and the caller go round in
    // circles.
    return std::max(absl::Seconds((1.0 - saved_) / per_second_), absl::Nanoseconds(1));
  }

 private:
  const double per_second_;
  double saved_;
  absl::Duration filled_at_;
};

}  // namespace potok::sla_timer
