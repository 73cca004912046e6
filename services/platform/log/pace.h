#pragma once

#include <chrono>
#include <random>

#include "absl/time/time.h"

namespace potok::log {

// What the loops of this folder give their cores for time and for chance. Thread-safe.

// Of the local clock that never jumps; only differences mean anything.
inline absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// In [0, 1).
inline double Uniform() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace potok::log
