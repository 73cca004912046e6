// Runs passes where something may have changed: at most one running and one pending for each flow.
//
// Wakes come from the log, from calls of this process and from the sweep; they only mark a flow.
// The sweep alone finds every flow with something to do within its interval, so nothing depends on
// a wake. While nothing is queued and nobody left, the sweep's two statements are all that runs.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "router/domain/flow_bell.h"
#include "router/work/pass.h"
#include "router/work/rehome.h"
#include "router/work/router_metrics.h"

namespace potok::router {

struct DispatcherOptions {
  int workers = 2;  // Flows in work at once.
  // Real time between sweeps; shorter on a scaled clock, so that a minute of business time does not
  // pass unseen.
  absl::Duration sweep = absl::Seconds(1);
};

// Thread-safe. Start and Stop may each be called any number of times, Stop before Start too.
class Dispatcher final : public FlowBell {
 public:
  Dispatcher(pg::Pool& pool, const Clock& clock, Pass& pass, Rehome& rehome, RouterMetrics& metrics,
             DispatcherOptions options);
  ~Dispatcher() override;

  void Start();
  void Stop();  // Lets running passes end.

  void Wake(const std::string& flow) override;
  void SweepSoon() override;

  // One sweep, for tests; the loop does the same.
  absl::Status Sweep();
  // Waits until no pass is running or pending.
  void WaitIdle();
  // When the last sweep succeeded, as a monotonic reading: readiness looks at its age.
  absl::Duration SinceSweep() const;

 private:
  struct Place {
    bool running = false;
    bool pending = false;
    bool woken =
        false;  // it is pending because somebody said so, not only because a sweep found it
  };

  void Add(const std::string& flow, bool woken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Ready() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::string Next(bool* found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RunWorker();
  void RunSweeper();
  absl::Duration Interval() const;

  pg::Pool& pool_;
  const Clock& clock_;
  Pass& pass_;
  Rehome& rehome_;
  RouterMetrics& metrics_;
  const DispatcherOptions options_;

  mutable absl::Mutex mu_;
  std::map<std::string, Place> places_ ABSL_GUARDED_BY(mu_);  // Flows running or pending.
  // Pending and not running, in order. A sweep finds all that waits at once: one worker at a time
  // goes through it, so that what was just filed does not wait for all of that.
  std::deque<std::string> woken_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> found_ ABSL_GUARDED_BY(mu_);
  bool found_runs_ ABSL_GUARDED_BY(mu_) = false;
  int woken_in_a_row_ ABSL_GUARDED_BY(mu_) = 0;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  bool sweep_soon_ ABSL_GUARDED_BY(mu_) = false;
  bool failing_ ABSL_GUARDED_BY(mu_) = false;
  std::chrono::steady_clock::time_point swept_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

}  // namespace potok::router
