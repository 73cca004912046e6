// A named background thread that repeats one turn until it is stopped.
//
// A turn does what there is to do and says how long to rest; an error is logged and repeated with
// growing, jittered pauses. A loop never ends by itself: whatever it looks after must be looked
// after as long as the process lives. Metrics: potok_loop_turns_total{loop,outcome},
// potok_loop_lag_seconds{loop} (time since the last good turn ended: the one to alert on).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/backoff.h"
#include "platform/app/wakeup.h"
#include "platform/obs/metrics.h"

namespace potok::app {

struct LoopOptions {
  std::string name;     // "relay"; the label of its metrics and the name of its thread.
  std::string service;  // Whose loop it is, in log lines.
  Backoff backoff;      // Between failing turns.
};

class Loop {
 public:
  // Returns the real time to rest before the next turn; zero for at once. Looks at `stop` when one
  // turn may take long. Throwing counts as an error.
  using Turn = std::function<absl::StatusOr<absl::Duration>(std::stop_token stop)>;

  // `metrics` outlives the loop.
  Loop(LoopOptions options, Turn turn, obs::Metrics& metrics);
  ~Loop();  // Stops.
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Legal once, before or after Stop (then nothing runs).
  void Start();

  // Cuts the rest short. From any thread, also from callbacks of other loops.
  void Wake() { wakeup_.Notify(); }

  // Asks the thread to end (Stop waits for it). Both are legal before Start, twice, and from
  // several threads.
  void RequestStop();
  void Stop();

  const std::string& name() const { return options_.name; }

 private:
  void Run(std::stop_token stop);
  absl::StatusOr<absl::Duration> RunTurn(std::stop_token stop);

  const LoopOptions options_;
  const Turn turn_;
  prometheus::Counter& good_;
  prometheus::Counter& failed_;
  Wakeup wakeup_;
  std::stop_source stop_;
  // When the last good turn ended, in ticks of the steady clock.
  std::atomic<std::chrono::steady_clock::rep> last_good_;
  obs::Metrics::Hook lag_hook_;
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace potok::app
