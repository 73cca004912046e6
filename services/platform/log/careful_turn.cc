#include "platform/log/careful_turn.h"

#include "absl/base/const_init.h"
#include "absl/synchronization/mutex.h"

namespace potok::log {
namespace {

absl::Mutex mu(absl::kConstInit);
bool taken ABSL_GUARDED_BY(mu) = false;

bool Free(bool* taken_by_somebody) { return !*taken_by_somebody; }

}  // namespace

bool CarefulTurn::TakeFor(absl::Duration patience) {
  if (mine_) return true;
  absl::MutexLock lock(&mu);
  if (!mu.AwaitWithTimeout(absl::Condition(&Free, &taken), patience)) return false;
  taken = true;
  mine_ = true;
  return true;
}

void CarefulTurn::Give() {
  if (!mine_) return;
  absl::MutexLock lock(&mu);
  taken = false;
  mine_ = false;
}

}  // namespace potok::log
