#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace potok::log {

// Wakes one loop. Rings while the loop is busy are kept as one; after Close() every wait returns at
// once. Thread-safe.
class Doorbell {
 public:
  void Ring() {
    absl::MutexLock lock(&mu_);
    rung_ = true;
  }
  void Close() {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }
  bool closed() const {
    absl::MutexLock lock(&mu_);
    return closed_;
  }
  // Until the bell rings, is closed, or `timeout` of real time has passed. True when it rang.
  bool WaitFor(absl::Duration timeout) {
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(absl::Condition(this, &Doorbell::Awake), timeout);
    const bool rang = rung_;
    rung_ = false;
    return rang;
  }
  // The same for whoever is not to be woken before: rings meanwhile are kept for the next wait.
  // Ends early when the bell is closed.
  void Rest(absl::Duration time) {
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(absl::Condition(&closed_), time);
  }

 private:
  bool Awake() const ABSL_SHARED_LOCKS_REQUIRED(mu_) { return rung_ || closed_; }

  mutable absl::Mutex mu_;
  bool rung_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace potok::log
