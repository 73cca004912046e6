// Fires timers: the one transaction in which a due instant becomes an event.
//
// A fire is exactly once in effect and never early, whoever asks for it and how often:
// - the parts are those whose lease still carries our token, and no successor gets them before the
// commit;
// - business time is the database's, read inside the transaction;
// - the ticket is locked and decides anew whether it wants this kind and generation (desk::Decide);
// the primary
//   key of ledger.sla_fired is the last wall behind it.
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "ledger/reference.h"
#include "platform/log/lease.h"
#include "platform/pg/pool.h"
#include "platform/pg/transaction.h"
#include "sla-timer/domain/due_timers.h"

namespace potok::sla_timer {

// What became of one timer of a batch.
struct FireReport {
  enum End {
    kFired,
    kStale,    // The ticket wants no such timer now; the row agrees with it again.
    kSkipped,  // A half-term reminder whose breach is due too: only the breach is told.
    kNotYet,   // By the database's clock it is not due.
    kBusy,     // Somebody else holds the ticket or the lease row for a moment.
    kNotOurs,  // The lease has passed to another process.
    kFailed,   // Its attempt was counted.
    kParked,   // The last attempt failed; an admin has to look.
  };
  DueTimer timer;
  End end = kBusy;
  absl::Time fired_at;  // Of kFired, business time.
  absl::Status why;     // Of kFailed and kParked.
};

struct FireResult {
  absl::Time now;                   // Business time of the transaction.
  std::vector<FireReport> reports;  // One a timer asked for.
  std::vector<DueTimer>
      armed;  // Near timers of the tickets that fired: an escalation follows a breach.
};

struct FiringOptions {
  std::string lease_family = "sla";
  int attempts = 5;
};

class TimerFiring {
 public:
  // `pool` and `reference` outlive it.
  TimerFiring(pg::Pool& pool, ledger::Reference& reference, FiringOptions options = {});

  // Fires those of `timers` that are due, in their order, in one transaction. When something in the
  // batch breaks it for all, each is fired alone and only the bad one fails. An error is one of the
  // database, of nobody's timer: nothing is known to have happened, the next read shows what did.
  // Timers that a fire armed and that are due within `look_ahead` (business time) are reported.
  // Never waits for a ticket that somebody else holds.
  absl::StatusOr<FireResult> Fire(const std::vector<DueTimer>& timers,
                                  const std::vector<log::Held>& held, absl::Duration look_ahead);
  // The same, a transaction each: for timers that have failed before.
  absl::StatusOr<FireResult> FireAlone(const std::vector<DueTimer>& timers,
                                       const std::vector<log::Held>& held,
                                       absl::Duration look_ahead);

 private:
  absl::StatusOr<FireResult> TryTogether(const std::vector<DueTimer>& timers,
                                         const std::vector<log::Held>& held,
                                         absl::Duration look_ahead);
  void CountFailures(pg::Tx& tx, std::vector<FireReport*> failed) const;

  pg::Pool& pool_;
  ledger::Reference& reference_;
  const FiringOptions options_;
};

}  // namespace potok::sla_timer
