// Listens to the log for what may let a queued ticket find its agent, and rings the bell of its
// flow.
//
// The log only wakes: the handler writes nothing, and an entry that is lost costs at most a sweep.
#pragma once

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "platform/log/consumer.h"
#include "platform/pg/pool.h"
#include "router/domain/flow_bell.h"

namespace potok::router {

class WakeFeed {
 public:
  // `options` brings owner, keys, Redis and hooks; group, topics and parts are filled in here.
  // `pool` and `bell` outlive the feed.
  WakeFeed(log::ConsumerOptions options, pg::Pool& pool, FlowBell& bell);

  void Start() { consumer_.Start(); }
  void Stop() { consumer_.Stop(); }
  log::ConsumerStats Stats() const { return consumer_.Stats(); }
  bool Owns(int part) const { return consumer_.Owns(part); }

 private:
  log::ConsumerOptions Complete(log::ConsumerOptions options);
  absl::Status Handle(pg::Tx& tx, const std::vector<log::LogEntry>& entries);

  FlowBell& bell_;
  // Of the batch in hand. A handler that was left behind may still be at it.
  absl::Mutex mu_;
  std::vector<std::string> flows_ ABSL_GUARDED_BY(mu_);
  log::Consumer consumer_;
};

}  // namespace potok::router
