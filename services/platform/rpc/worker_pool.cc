#include "platform/rpc/worker_pool.h"

#include <algorithm>
#include <utility>

#include "base/half_gone.h"

namespace potok::rpc {

WorkerPool::WorkerPool(const WorkerPoolOptions& options, obs::Metrics& metrics)
    : queue_bound_(options.queue_bound),
      now_(options.now),
      wait_seconds_(metrics.Histogram("potok_pool_wait_seconds",
                                      "Time a call waited for a thread of the worker pool.")),
      rejected_(metrics.Counter("potok_pool_rejected_total",
                                "Calls refused because the queue of the worker pool was full.")),
      late_(metrics.Counter("potok_pool_abandoned_total",
                            "Calls that waited in the queue and were not started, by reason.",
                            {{"reason", "late"}})),
      half_gone_(metrics.Counter("potok_pool_abandoned_total",
                                 "Calls that waited in the queue and were not started, by reason.",
                                 {{"reason", "half_gone"}})),
      gone_(metrics.Counter("potok_pool_abandoned_total",
                            "Calls that waited in the queue and were not started, by reason.",
                            {{"reason", "gone"}})),
      busy_(
          metrics.Gauge("potok_pool_busy_threads", "Threads of the worker pool that run a call.")) {
  metrics.Gauge("potok_pool_threads", "Threads of the worker pool.").Set(options.threads);
  prometheus::Gauge& depth =
      metrics.Gauge("potok_pool_queue_depth", "Calls that wait for a thread of the worker pool.");
  depth_hook_ = metrics.BeforeScrape([this, &depth] {
    const absl::MutexLock lock(&mutex_);
    depth.Set(static_cast<double>(queue_.size()));
  });
  for (int i = 0; i < std::max(1, options.threads); ++i) {
    threads_.emplace_back([this] { ServeQueue(); });
  }
}

WorkerPool::~WorkerPool() { Stop(); }

bool WorkerPool::Submit(Work* work) {
  {
    const absl::MutexLock lock(&mutex_);
    if (!stopping_ && queue_.size() < queue_bound_) {
      queue_.push_back({work, now_()});
      return true;
    }
  }
  rejected_.Increment();
  return false;
}

void WorkerPool::Stop() {
  std::deque<Item> left;
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
    left.swap(queue_);
  }
  for (const Item& item : left) item.work->Refuse(Work::Refusal::kStopping);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::ServeQueue() {
  while (true) {
    Item item;
    {
      const absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](WorkerPool* self)
               ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->stopping_ || !self->queue_.empty(); },
          this));
      if (queue_.empty()) return;
      item = queue_.front();
      queue_.pop_front();
    }
    const auto now = now_();
    wait_seconds_.Observe(std::chrono::duration<double>(now - item.since).count());
    if (item.work->Gone()) {
      gone_.Increment();
      item.work->Refuse(Work::Refusal::kGone);
    } else if (now >= item.work->Deadline()) {
      late_.Increment();
      item.work->Refuse(Work::Refusal::kLate);
    } else if (MoreThanHalfGone(item.since, now, item.work->Deadline())) {
      half_gone_.Increment();
      item.work->Refuse(Work::Refusal::kHalfGone);
    } else {
      busy_.Increment();
      item.work->Run();
      busy_.Decrement();
    }
  }
}

}  // namespace potok::rpc
