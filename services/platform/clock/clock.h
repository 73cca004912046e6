#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

#include "platform/clock/jump_guard.h"

namespace potok::pg {
class Pool;
}

namespace potok {

// The one source of business time. Business time is the database's time, scaled when the
// installation replays or demonstrates; terms, due times and event instants are all in it.
// Real time (leases, back-off, socket timeouts) never goes through a Clock.
// Implementations are thread-safe and cheap to ask.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual absl::Time Now() const = 0;
  // How long a span of business time lasts really.
  virtual absl::Duration ToReal(absl::Duration business) const = 0;
  // How much business time passes in a span of real time.
  absl::Duration ToBusiness(absl::Duration real) const {
    return real * absl::FDivDuration(absl::Seconds(1), ToReal(absl::Seconds(1)));
  }
  // False while the database's wall clock has just jumped: deadlines must not be acted upon. Ask it
  // after Now(): when the answer is true, the instant was not of the clock that jumped.
  virtual bool Stable() const { return true; }

  // The real time to wait before looking again whether `business` has come: at most one second a
  // piece, because the database's clock may be stepped meanwhile; zero when it has come.
  absl::Duration RealWaitUntil(absl::Time business) const {
    const absl::Duration ahead = business - Now();
    if (ahead <= absl::ZeroDuration()) return absl::ZeroDuration();
    return std::min(ToReal(ahead), absl::Seconds(1));
  }
};

// Business time that moves only when told, for tests. Unscaled unless a scale is given.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time start, double scale = 1.0) : scale_(scale), now_(start) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mu_);
    return now_;
  }
  absl::Duration ToReal(absl::Duration business) const override { return business / scale_; }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mu_);
    now_ += by;
  }
  void SetTime(absl::Time now) {
    absl::MutexLock lock(&mu_);
    now_ = now;
  }

 private:
  const double scale_;
  mutable absl::Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
};

// What --time-scale and --time-origin ask for.
struct TimeFlags {
  double scale = 1.0;
  std::optional<absl::Time> origin;  // business time at the first start; unset: the real time then
};

// Records the flags as the installation's origin when it has none. The first service to start
// decides for all; flags that differ from the recorded origin are ignored and described in the
// returned text, which the caller logs as a warning. "" when there is nothing to say.
absl::StatusOr<std::string> EnsureOrigin(pg::Pool& pool, const TimeFlags& flags);

// Follows the primary's clock: every five seconds the offset between it and this machine's
// monotonic clock is taken from the fastest of eight round trips, so Now() costs no round trip and
// is off by at most half of that fastest trip. Between samples time is monotonic.
class DbClock final : public Clock {
 public:
  // Takes the first sample before it returns. `pool` must outlive the clock.
  static absl::StatusOr<std::unique_ptr<DbClock>> Start(pg::Pool& pool);
  ~DbClock() override;

  absl::Time Now() const override;
  absl::Duration ToReal(absl::Duration business) const override;
  // Not stable from a jump of more than two seconds until two samples agree again.
  bool Stable() const override { return stable_.load(); }
  // Half the round trip of the sample in use: the bound of the error.
  absl::Duration Error() const;

 private:
  struct Reading {
    absl::Duration db_minus_monotonic;  // database time since the epoch minus the monotonic reading
    absl::Duration round_trip;
    absl::Time real_origin;
    absl::Time business_origin;
    double scale = 1.0;
  };
  explicit DbClock(pg::Pool& pool) : pool_(pool) {}
  absl::StatusOr<Reading> Sample();
  void Run();
  Reading Current() const;

  pg::Pool& pool_;
  mutable absl::Mutex mu_;
  Reading reading_ ABSL_GUARDED_BY(mu_);
  JumpGuard guard_ ABSL_GUARDED_BY(mu_);
  std::atomic<bool> stable_{true};
  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace potok
