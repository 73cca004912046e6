#pragma once

#include <optional>

#include "absl/time/time.h"

namespace potok {

// Whether the database's wall clock can be believed: not from a jump until two samples agree with
// the one before them. Pure; not thread-safe.
class JumpGuard {
 public:
  // What the database's clock is ahead of a monotonic one, measured anew.
  void Sampled(absl::Duration ahead) {
    if (last_.has_value() && absl::AbsDuration(ahead - *last_) > kJump) {
      distrusted_ = kAgreeing;
    } else if (distrusted_ > 0) {
      --distrusted_;
    }
    last_ = ahead;
  }
  bool stable() const { return distrusted_ == 0; }

 private:
  static constexpr absl::Duration kJump = absl::Seconds(2);
  static constexpr int kAgreeing = 2;

  std::optional<absl::Duration> last_;
  int distrusted_ = 0;  // samples that must still agree
};

}  // namespace potok
