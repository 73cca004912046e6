// The same call for many things, a few at a time.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace potok::ctl {

// Calls `work(i)` for i in [0, count) from `threads` threads. The first failure ends it and is
// returned.
inline absl::Status InParallel(size_t count, int threads,
                               const std::function<absl::Status(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  absl::Mutex mu;
  absl::Status first;
  std::vector<std::jthread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&] {
      for (size_t i; !failed && (i = next.fetch_add(1)) < count;) {
        const absl::Status status = work(i);
        if (status.ok()) continue;
        absl::MutexLock lock(&mu);
        if (!failed.exchange(true)) first = status;
      }
    });
  }
  for (std::jthread& worker : workers) worker.join();
  return first;
}

}  // namespace potok::ctl
