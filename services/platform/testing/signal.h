#pragma once

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

// Ways for a test to wait for what it expects instead of sleeping and hoping.
namespace potok::testing {

// Far above what any expected event takes, so that reaching it means that the event never came.
inline constexpr absl::Duration kPatience = absl::Seconds(20);

// What a wait becomes in a build that is slower than the plain one: POTOK_TEST_PATIENCE=4, which
// `tools/dev test` sets for the sanitizers, makes every wait below four times as long. Only what
// never comes takes longer by it.
inline absl::Duration Stretched(absl::Duration patience) {
  static const int times = [] {
    const char* const wanted = std::getenv("POTOK_TEST_PATIENCE");
    const int number = wanted == nullptr ? 1 : std::atoi(wanted);
    return number < 1 ? 1 : number;
  }();
  return patience * times;
}

// Collects what other threads report and lets the test wait for it. Thread-safe.
template <class T>
class Recorder {
 public:
  void Add(T item) {
    absl::MutexLock lock(&mu_);
    items_.push_back(std::move(item));
  }
  std::vector<T> Items() const {
    absl::MutexLock lock(&mu_);
    return items_;
  }
  size_t size() const {
    absl::MutexLock lock(&mu_);
    return items_.size();
  }
  // True when `done` came to hold for the items seen so far within `patience`.
  bool WaitUntil(const std::function<bool(const std::vector<T>&)>& done,
                 absl::Duration patience = kPatience) const {
    const auto holds = [this, &done] {
      mu_.AssertReaderHeld();
      return done(items_);
    };
    absl::MutexLock lock(&mu_);
    return mu_.AwaitWithTimeout(absl::Condition(&holds), Stretched(patience));
  }
  bool WaitForCount(size_t count, absl::Duration patience = kPatience) const {
    return WaitUntil([count](const std::vector<T>& items) { return items.size() >= count; },
                     patience);
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<T> items_ ABSL_GUARDED_BY(mu_);
};

// For facts that only a query shows: asks again every few milliseconds until `holds` or patience
// ends.
inline bool Eventually(const std::function<bool()>& holds, absl::Duration patience = kPatience) {
  const auto end =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(Stretched(patience));
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return holds();
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  return true;
}

}  // namespace potok::testing
