// Keeps this process' share of the timers and fires each when it is due.
//
// Truth is the rows of ledger.sla_timer. The loop holds a picture of those of its parts that are
// near, sleeps until the first of them is due (never more than a second at once, because the
// database's clock may be stepped), and lets TimerFiring decide. The picture is read anew every
// poll, which alone is enough; Changed() and Wake() are hints that make it sooner. A process that
// dies loses nothing: another takes its parts when the leases end and finds the rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/log/lease.h"
#include "platform/obs/metrics.h"
#include "platform/pg/pool.h"
#include "sla-timer/domain/due_timers.h"
#include "sla-timer/domain/token_bucket.h"
#include "sla-timer/store/timer_firing.h"
#include "sla-timer/store/timer_reads.h"

namespace potok::sla_timer {

// All durations are real time.
struct TimerLoopOptions {
  std::string owner;  // log::MakeOwner().
  size_t batch = 200;
  // A backlog after a downtime is worked off at this rate, so that nobody's mailbox, and no
  // database, is flooded.
  double catch_up_per_second = 500;
  absl::Duration backlog_age = absl::Seconds(5);  // Later than this: backlog.
  // Rows due within it are kept in memory. Longer than any poll, shorter than what would be read
  // for nothing.
  absl::Duration look_ahead = absl::Seconds(10);
  absl::Duration shortest_poll = absl::Milliseconds(250);
  absl::Duration longest_poll = absl::Seconds(1);
  absl::Duration hint_pause = absl::Milliseconds(20);  // Hints come in floods; reads do not.
  int most_backlog = 1000;                             // Rows kept in memory of each sort.
  int most_fresh = 4000;
  // Between attempts of a timer that fails, four times as long after each: five take most of a
  // minute.
  absl::Duration first_retry = absl::Milliseconds(500);
  log::LeaseTimes lease_times;
  log::Hooks hooks;
};

struct TimerLoopStats {
  int parts = 0;
  size_t near = 0;  // Timers in memory.
  size_t due = 0;   // Of these, due and not fired yet.
  int64_t reads = 0;
  int64_t fired = 0;
  int64_t parked = 0;
};

class TimerLoop {
 public:
  // Everything outlives it. `on_commit` is called after each transaction that appended events; it
  // wakes the relay.
  TimerLoop(TimerLoopOptions options, pg::Pool& pool, ledger::Reference& reference,
            const Clock& clock, obs::Metrics& metrics, std::function<void()> on_commit);

  // One turn: reads if it is time, fires one batch of what is due, and returns how long to rest
  // (real time). An error is one of the database; the next turn reads everything anew. One thread
  // at a time.
  absl::StatusOr<absl::Duration> Turn();

  // Timers have changed: of these tickets (part and id), or whose is not known. Thread-safe;
  // whoever calls them also cuts the rest between turns short. To look for a few tickets costs a
  // few looks; Wake() costs a read of all timers that are near.
  void Changed(const std::vector<std::pair<int, std::string>>& tickets);
  void Wake() { hinted_.store(true, std::memory_order_relaxed); }

  // The leases of the parts. Start() them before the first turn, Stop() after the last.
  log::LeaseKeeper& leases() { return leases_; }

  TimerLoopStats Stats() const;

 private:
  bool TimeToRead(const std::vector<log::Held>& held, absl::Duration monotonic) const;
  absl::Status Read(const std::vector<log::Held>& held, absl::Duration monotonic);
  // Rows that the last read left out may be due before anything that is in memory.
  bool HidesRows() const;
  absl::Status ReadChanged(const std::vector<log::Held>& held);
  absl::Status FireBatch(const std::vector<DueTimer>& batch, const std::vector<log::Held>& held,
                         absl::Duration monotonic);
  void Settle(const FireReport& report, absl::Time database_now, absl::Duration monotonic);
  absl::Duration RestAfter(absl::Time now, absl::Duration monotonic) const;
  absl::Duration PollInterval() const;

  const TimerLoopOptions options_;
  const Clock& clock_;
  obs::Metrics& metrics_;
  const std::function<void()> on_commit_;
  log::LeaseKeeper leases_;
  TimerReads reads_;
  TimerFiring firing_;
  DueTimers due_;
  TokenBucket backlog_budget_;
  std::vector<log::Held> read_for_;  // The leases of the last read.
  absl::Duration last_read_ = -absl::InfiniteDuration();
  // What is due later was left out by the last read, which had seen enough.
  absl::Time read_until_ = absl::InfiniteFuture();
  std::atomic<bool> hinted_{false};
  absl::Mutex mu_;
  std::map<std::string, int> changed_ ABSL_GUARDED_BY(mu_);  // Part by ticket.

  prometheus::Histogram& lateness_seconds_;
  prometheus::Gauge& due_gauge_;
  prometheus::Gauge& near_gauge_;
  prometheus::Gauge& parts_gauge_;
  std::atomic<int> stat_parts_{0};
  std::atomic<size_t> stat_near_{0}, stat_due_{0};
  std::atomic<int64_t> stat_reads_{0}, stat_fired_{0}, stat_parked_{0};
};

}  // namespace potok::sla_timer
