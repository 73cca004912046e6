// Full-jitter exponential backoff, pure: the caller brings the randomness.
#pragma once

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"

namespace potok {

struct Backoff {
  absl::Duration initial = absl::Milliseconds(100);
  absl::Duration cap = absl::Seconds(10);
  double factor = 2.0;

  // The wait before attempt `attempt` + 1 (attempt counts from 1), uniformly below the exponential
  // bound: full jitter spreads a herd of retriers better than any fixed fraction. `uniform` in [0,
  // 1). Never below a tenth of the bound, so that a loop cannot spin.
  absl::Duration Wait(int attempt, double uniform) const {
    const double exponent = std::min(attempt - 1, 62);
    const absl::Duration bound = std::min(cap, initial * std::pow(factor, std::max(0.0, exponent)));
    return bound * (0.1 + 0.9 * uniform);
  }
};

}  // namespace potok
