#include "platform/log/outbox_slots.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "platform/log/sql.h"
#include "platform/pg/transaction.h"

namespace potok::log {
namespace {

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

OutboxSlots::OutboxSlots(OutboxSlotOptions options, pg::Pool& pool)
    : options_(std::move(options)), pool_(pool) {}

absl::Duration OutboxSlots::Turn(const std::vector<Held>& held) {
  if (const absl::Duration wait = next_look_ - Monotonic(); wait > absl::ZeroDuration()) {
    return wait;
  }
  absl::Duration rest = options_.look;
  if (std::any_of(held.begin(), held.end(),
                  [&](const Held& h) { return h.part == options_.part; })) {
    const auto outcome =
        pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::string> {
          return tx.Run(sql::kTruncateOutbox, options_.keep_bytes)[0][0].as<std::string>();
        });
    if (!outcome.ok()) {
      options_.hooks.Error("relay:slots", outcome.status());
      rest = options_.after_busy;
    } else if (*outcome == "truncated") {
      ++truncated_;
    } else if (*outcome == "busy") {
      rest = options_.after_busy;
    }
  }
  next_look_ = Monotonic() + rest;
  return rest;
}

}  // namespace potok::log
