#include "notifier/domain/breaker.h"

#include <algorithm>

namespace potok::notifier {

int Breaker::Take(absl::Duration now, int wanted) {
  if (now < paused_until_) return 0;
  if (!open_) return wanted;
  if (now < next_probe_) return 0;
  probe_before_ = next_probe_;
  next_probe_ = now + options_.probe_every;
  return std::min(1, wanted);
}

void Breaker::GiveBack() {
  if (open_) next_probe_ = probe_before_;
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
