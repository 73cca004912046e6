#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "platform/log/entry.h"
#include "platform/log/handler.h"
#include "platform/log/handler_run.h"
#include "platform/log/hooks.h"
#include "platform/log/lease.h"
#include "platform/pg/transaction.h"

namespace potok::log {

struct ReplayOptions {
  std::string group;
  std::string owner;  // see MakeOwner
  Handler handler;    // of the group's consumer; given one entry at a time
  // Runs the handler as the consumer does, watched and within a budget. Empty: in the calling
  // thread, for as long as it takes.
  std::function<HandlerRun::Outcome(HandlerRun::Take take)> run;
  // Called after the effect of an entry has been committed. May be empty.
  std::function<void(const std::vector<LogEntry>&)> after_commit;
  absl::Duration look = absl::Seconds(1);  // the longest time between two looks
  // One turn begins no further entry after this: fresh entries of the log wait meanwhile.
  absl::Duration turn = absl::Milliseconds(100);
  // An entry whose end was never told is due again after this.
  absl::Duration forgotten_after = absl::Seconds(10);
  int deaths = 3;  // processes an entry may take with it before it is left alone
  Hooks hooks;
};

struct ReplayStats {
  std::int64_t replayed = 0;  // entries whose effects were committed
  std::int64_t failed = 0;    // entries that failed once more and stay parked
};

// Carries out dead letters again whose instant has come; AdminService.ReplayDeadLetters sets it.
//
// Exactly once in effect: the transaction of the effect also takes the row of ledger.dlq from
// `parked` to `replayed`, under the owner's lease token, so a twin, a repeat or an owner that lost
// its lease changes nothing. The begin is noted in a transaction before: an entry that takes its
// process with it is tried again by the next owner, at most `deaths` times in all. Nothing is
// published anew and no offset moves, so the entry comes after entries that followed it in the log:
// handlers must bear that (log::Handler says so).
//
// Not thread-safe but for Stats: the consumer calls Turn from its loop, so that the handler never
// runs twice at a time, and lends it its own way of running a handler.
class DeadLetterReplay {
 public:
  DeadLetterReplay(ReplayOptions options, pg::Pool& pool);

  // Does what is due of the parts `held`. Returns the real time after which it should be called
  // again; calls before that are free. Failures are told to the hooks.
  absl::Duration Turn(const std::vector<Held>& held);

  ReplayStats Stats() const { return {.replayed = replayed_, .failed = failed_}; }

 private:
  struct Begun {
    LogEntry entry;
    std::string token;
    int deaths = 0;
  };

  // Until the next entry is due, at most options_.look; zero or less when one is.
  absl::StatusOr<absl::Duration> UntilNext(const std::vector<Held>& held);
  // Nothing when none is due after all.
  absl::StatusOr<std::optional<Begun>> Begin(const std::vector<Held>& held);
  // The error is one of the database, never of the handler's.
  absl::Status CarryOut(const Begun& begun);
  HandlerRun::Outcome Run(HandlerRun::Take take);
  absl::Status Fail(const LogEntry& entry, const std::string& reason);
  std::string Where() const { return "replay:" + options_.group; }

  const ReplayOptions options_;
  pg::Pool& pool_;
  absl::Duration next_look_;  // monotonic
  std::atomic<std::int64_t> replayed_{0}, failed_{0};
};

}  // namespace potok::log
