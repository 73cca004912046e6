// Runs passes where something may have changed: at most one running and one pending for each flow.
//
// Wakes come from the log, from calls of this process and from the sweep; they only mark a flow.
// The sweep alone finds every flow with something to do within its interval, so nothing depends on
// a wake. While nothing is queued and nobody left, the sweep's two statements are all that runs.
#pragma once

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
#include "router/work/flow_order.h"
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
  void RunWorker();
  void RunSweeper();
  absl::Duration Interval() const;
  // Brings the metric up to date, unless that would take more than a share of the time.
  void CountWhatWaits();

  pg::Pool& pool_;
  const Clock& clock_;
  Pass& pass_;
  Rehome& rehome_;
  RouterMetrics& metrics_;
  const DispatcherOptions options_;

  mutable absl::Mutex mu_;
  FlowOrder order_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  bool sweep_soon_ ABSL_GUARDED_BY(mu_) = false;
  bool failing_ ABSL_GUARDED_BY(mu_) = false;
  std::chrono::steady_clock::time_point swept_ ABSL_GUARDED_BY(mu_);
  absl::Mutex count_mu_;  // One count at a time.
  std::chrono::steady_clock::time_point next_count_ ABSL_GUARDED_BY(count_mu_);
  std::vector<std::thread> threads_;
};

}  // namespace potok::router
