#include "notifier/domain/breaker.h"

#include <algorithm>

namespace potok::notifier {

Breaker::Permit Breaker::Take(absl::Duration now, int wanted) {
  if (now < paused_until_) return {};
  if (!open_) return {.sends = wanted};
  if (now < next_probe_) return {};
  probe_before_ = next_probe_;
  next_probe_ = now + options_.probe_every;
  return {.sends = std::min(1, wanted), .probe = ++probes_};
}

void Breaker::GiveBack(const Permit& permit) {
  // Only the latest probe of this opening: the permit of a worker that took it while all was well,
  // or whose probe is long over, frees nothing.
  if (open_ && permit.probe != 0 && permit.probe == probes_) next_probe_ = probe_before_;
}

void Breaker::Record(absl::Duration now, bool healthy) {
  if (open_) {
    // Sends begun before it opened also report here; any success proves the provider well.
    if (!healthy) return;
    open_ = false;
    calls_.clear();
    failures_ = 0;
  }
  calls_.emplace_back(now, healthy);
  if (!healthy) ++failures_;
  Forget(now);
  const int calls = static_cast<int>(calls_.size());
  if (calls >= options_.least_calls && failures_ >= options_.failure_ratio * calls) {
    open_ = true;
    ++probes_;
    next_probe_ = now + options_.probe_every;
  }
}

void Breaker::PauseUntil(absl::Duration until) { paused_until_ = std::max(paused_until_, until); }

absl::Duration Breaker::Wait(absl::Duration now) const {
  absl::Duration wait = paused_until_ - now;
  if (open_) wait = std::max(wait, next_probe_ - now);
  return std::max(wait, absl::ZeroDuration());
}

void Breaker::Forget(absl::Duration now) {
  while (!calls_.empty() && calls_.front().first <= now - options_.window) {
    if (!calls_.front().second) --failures_;
    calls_.pop_front();
  }
}

}  // namespace potok::notifier
