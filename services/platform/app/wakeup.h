// A bell for a loop that sleeps: whoever makes work rings it, so that the loop's own period can be
// long. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "absl/time/time.h"

namespace potok::app {

class Wakeup {
 public:
  // Rings. Several rings before the next wait count as one, and a ring before the wait is not lost.
  void Notify() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      rung_ = true;
    }
    bell_.notify_one();
  }

  // Waits for a ring, at most `real` of real time, or until the stop is asked for. True when rung.
  bool WaitFor(absl::Duration real, std::stop_token stop) {
    // Waits without end are cut to a day: the duration type of the library below cannot hold them.
    const auto limit = absl::ToChronoNanoseconds(
        real > absl::Hours(24) ? absl::Hours(24)
                               : (real < absl::ZeroDuration() ? absl::ZeroDuration() : real));
    std::unique_lock<std::mutex> lock(mutex_);
    bell_.wait_for(lock, stop, limit, [this] { return rung_; });
    const bool rung = rung_;
    rung_ = false;
    return rung;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any bell_;
  bool rung_ = false;
};

}  // namespace potok::app
