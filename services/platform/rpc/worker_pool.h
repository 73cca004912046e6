// The threads that run calls. Bounded: work that would only wait past its use is refused at once.
//
// gRPC's own threads are few and shared by all connections, so nothing that blocks may run there;
// this pool is where a handler may wait for the database. Its length is the whole back-pressure of
// a service: a full queue answers "try later" in microseconds instead of everybody's deadline
// passing in the queue. Work that has waited for more than half of its time is not started either:
// its caller is told to come again while there is time left to. Thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "platform/obs/metrics.h"

namespace potok::rpc {

// One piece of work. It must stay alive until Run or Refuse is called; exactly one of them is,
// once.
class Work {
 public:
  enum class Refusal { kLate, kHalfGone, kGone, kStopping };

  virtual ~Work() = default;
  virtual std::chrono::steady_clock::time_point Deadline() const = 0;
  virtual bool Gone() const = 0;  // Nobody waits for the answer any more.
  virtual void Run() = 0;
  virtual void Refuse(Refusal why) = 0;
};

struct WorkerPoolOptions {
  int threads = 8;
  size_t queue_bound = 1024;
  // Tests bring their own.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

class WorkerPool {
 public:
  WorkerPool(const WorkerPoolOptions& options, obs::Metrics& metrics);
  ~WorkerPool();  // Stops.

  // False when the queue is full or the pool is stopped; the work is then not touched.
  bool Submit(Work* work);

  // Lets running work end, refuses what waits. Legal twice.
  void Stop();

 private:
  struct Item {
    Work* work;
    std::chrono::steady_clock::time_point since;
  };
  void ServeQueue();

  const size_t queue_bound_;
  const std::function<std::chrono::steady_clock::time_point()> now_;
  prometheus::Histogram& wait_seconds_;
  prometheus::Counter& rejected_;
  prometheus::Counter& late_;
  prometheus::Counter& half_gone_;
  prometheus::Counter& gone_;
  prometheus::Gauge& busy_;

  absl::Mutex mutex_;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
  obs::Metrics::Hook depth_hook_;
};

}  // namespace potok::rpc
