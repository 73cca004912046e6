// When a failed delivery is tried again. Pure.
#pragma once

#include <optional>

#include "absl/time/time.h"

#include "base/backoff.h"

namespace potok::notifier {

inline constexpr int kMostAttempts = 12;
inline constexpr absl::Duration kLongestLife = absl::Hours(24);

// The real time to wait after `attempts` tries of a delivery planned `age` ago; nothing when it is
// given up. min(15 min, 2 s x 2^n) with full jitter; `uniform` in [0, 1).
inline std::optional<absl::Duration> NextTry(int attempts, absl::Duration age, double uniform) {
  if (attempts >= kMostAttempts || age >= kLongestLife) return std::nullopt;
  const Backoff backoff{.initial = absl::Seconds(2), .cap = absl::Minutes(15)};
  return backoff.Wait(attempts, uniform);
}

}  // namespace potok::notifier
