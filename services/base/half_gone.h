// When work that waited is no longer worth starting.
#pragma once

#include <chrono>

namespace potok {

// Whether work that began to wait at `since` has lost more than half of the time it then had until
// `deadline`. What comes to the front that late will most likely be late altogether, and what its
// caller still has is better spent on a repeat elsewhere than on finding that out here.
inline bool MoreThanHalfGone(std::chrono::steady_clock::time_point since,
                             std::chrono::steady_clock::time_point now,
                             std::chrono::steady_clock::time_point deadline) {
  return now - since > deadline - now;
}

}  // namespace potok
