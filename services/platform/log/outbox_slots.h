#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

#include "platform/log/hooks.h"
#include "platform/log/lease.h"
#include "platform/pg/pool.h"

namespace potok::log {

struct OutboxSlotOptions {
  int part = 0;  // whoever owns this part looks after the outbox as a whole
  absl::Duration look = absl::Seconds(1);
  // A slot that somebody reads or writes for long is left alone for this: each try makes new
  // readers wait up to 100 ms.
  absl::Duration after_busy = absl::Seconds(5);
  // Below this a slot is not worth the new file and the plans that have to be made again.
  std::int64_t keep_bytes = 128 << 10;
  Hooks hooks;
};

// Keeps the outbox small whatever snapshots are held open: its rows live milliseconds, but their
// dead versions stay as long as the oldest snapshot, and every look for the first row of a part has
// to step over them. New rows go to one of two slots, which changes each ten seconds; the other one
// is truncated as soon as it is empty, if it is worth it. So at most twenty seconds' rows lie
// about, or `keep_bytes` of them.
//
// Not thread-safe; a turn takes up to about 150 ms.
class OutboxSlots {
 public:
  OutboxSlots(OutboxSlotOptions options, pg::Pool& pool);

  // Does what there is to do when `held` has the part it goes by. Returns the real time after which
  // it should be called again; calls before that are free. Failures are told to the hooks.
  absl::Duration Turn(const std::vector<Held>& held);

  std::int64_t truncated() const { return truncated_; }

 private:
  const OutboxSlotOptions options_;
  pg::Pool& pool_;
  absl::Duration next_look_;  // monotonic
  std::int64_t truncated_ = 0;
};

}  // namespace potok::log
