#pragma once

#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "platform/log/entry.h"
#include "platform/log/handler.h"
#include "platform/pg/transaction.h"

namespace potok::log {

// One run of a handler in a transaction of its own, watched from another thread, which may give it
// up. A run that was given up can never commit: its connection is cut before that is said.
//
// Two threads: CarryOut() belongs to one, Wait() to another. Shared between them, for the one that
// hangs outlives the other's interest.
class HandlerRun {
 public:
  // Reads the entries for the handler, inside its transaction.
  using Take = std::function<std::vector<LogEntry>(pg::Tx&)>;

  // `handler` outlives it.
  HandlerRun(Take take, const Handler& handler) : take_(std::move(take)), handler_(handler) {}

  // Takes the entries, gives them to the handler, commits. Returns when all that is over.
  void CarryOut(pg::Pool& pool);

  struct Outcome {
    absl::Status status;            // of the transaction; whatever the handler threw is INTERNAL
    std::vector<LogEntry> entries;  // that were taken, by the last attempt at the transaction
    bool handled = false;           // the handler had returned OK when the transaction failed
    bool hung = false;              // given up; `status` says so
    int backend = 0;                // of a run that was given up: the server's process to end
  };
  // Until it is over, or the handler has run for `budget` in all. The time that the database needs
  // before and after the handler does not count: its own limits bound it.
  Outcome Wait(absl::Duration budget);

 private:
  enum class Phase { kTaking, kHandling, kEnding, kGivenUp, kOver };

  // The handler begins, or has ended. False when the run was given up: nothing may follow.
  bool Begin(pg::Tx& tx, const std::vector<LogEntry>& entries);
  bool End(bool handled);

  const Take take_;
  const Handler& handler_;
  absl::Mutex mu_;
  Phase phase_ ABSL_GUARDED_BY(mu_) = Phase::kTaking;
  absl::Duration began_ ABSL_GUARDED_BY(mu_);  // monotonic; of the handler under way
  absl::Duration spent_ ABSL_GUARDED_BY(mu_);  // in handlers, when the transaction was repeated
  Outcome outcome_ ABSL_GUARDED_BY(mu_);
  int socket_ ABSL_GUARDED_BY(mu_) = -1;
};

}  // namespace potok::log
