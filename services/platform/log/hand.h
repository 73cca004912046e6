#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "platform/pg/pool.h"

namespace potok::log {

// A thread with a database connection of its own, for work that may hang. Whoever waits for such
// work can leave the hand behind and go on with another: neither the thread nor the connection is
// missed elsewhere.
class Hand {
 public:
  using Job = std::function<void(pg::Pool&)>;

  // Connections are opened as `like`, on first need.
  explicit Hand(pg::PoolOptions like);
  ~Hand();  // waits for the job under way
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;

  // Begins `job` in the hand's thread. One at a time: the one before has ended, or is about to.
  void Do(Job job);
  bool idle() const;

 private:
  void Run();

  pg::Pool pool_;  // of one connection
  mutable absl::Mutex mu_;
  Job job_ ABSL_GUARDED_BY(mu_);
  bool busy_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace potok::log
