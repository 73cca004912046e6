#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "platform/log/consumer_core.h"
#include "platform/log/doorbell.h"
#include "platform/log/entry.h"
#include "platform/log/handler.h"
#include "platform/log/hooks.h"
#include "platform/log/lease.h"
#include "platform/pg/transaction.h"
#include "platform/redis/redis.h"

namespace potok::log {

struct ConsumerOptions {
  std::string group;  // "router", "sla", "notifier", "analytics"
  std::vector<int> topics;
  std::vector<int> parts;  // to compete for; normally all
  int batch = 100;
  std::string owner;  // see MakeOwner
  StreamKey stream_key;
  redis::Options redis;
  // Called after a batch has been committed; for waking other loops. May be empty.
  std::function<void(const std::vector<LogEntry>&)> after_commit;
  absl::Duration sweep = absl::Seconds(1);  // Postgres is looked at this often anyway
  absl::Duration poll_without_redis = absl::Milliseconds(100);
  int attempts = 5;                                      // of one entry, before it is parked
  absl::Duration first_retry = absl::Milliseconds(100);  // then four times as long each time
  LeaseTimes lease_times;
  Hooks hooks;
};

struct ConsumerStats {
  int parts = 0;              // owned now
  std::int64_t lag = 0;       // entries behind the heads of the owned streams, at the last sweep
  std::int64_t handled = 0;   // entries whose effects were committed
  std::int64_t failures = 0;  // handler runs that returned an error
  std::int64_t parked = 0;
  std::int64_t refused = 0;  // batches dropped because the lease had passed to another owner
  bool redis_up = false;
  int failing_streams = 0;    // streams standing at an entry that fails
  std::int64_t phantoms = 0;  // entries Redis had and the log had not
};

// Feeds a handler with the log, exactly once in effect, in order within each (topic, part).
//
// The offset is a row of ledger.consumer_offset and moves in the transaction of the effects,
// guarded by the position before it and by the lease token: a repeat, a twin or an owner that lost
// its lease moves nothing and therefore changes nothing.
//
// Redis only says *that* a stream has news. The entries themselves are read from event_log by the
// statement that moves the offset, so a lost, repeated, reordered or invented Redis entry can cost
// time and never truth, and there is one code path with and without Redis. Without it Postgres is
// polled each 100 ms; a sweep each second covers whatever Redis kept to itself.
//
// A batch that fails is taken apart: its streams go on entry by entry, each failing entry is tried
// `attempts` times with growing pauses and then parked in ledger.dlq in the transaction that moves
// the offset past it. Other streams do not wait meanwhile. Failures of the database itself
// (UNAVAILABLE, ABORTED, UNKNOWN) are no fault of the entry: they are retried without end.
//
// Threads: one loop and one lease keeper. The handler runs in the loop's thread.
class Consumer {
 public:
  Consumer(ConsumerOptions options, pg::Pool& pool, Handler handler);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  void Start();
  void Stop();  // ends within a second after the running handler; may be called twice
  ConsumerStats Stats() const;

 private:
  void Run();
  // Does what the core asks for and tells it what came of it.
  void Do(const ConsumerAction& action, const std::vector<Held>& held);
  absl::Status Sweep(const std::vector<Held>& held);
  absl::Status Take(const ConsumerAction& action, const std::vector<Held>& held);
  absl::Status Park(const ConsumerAction& action, const std::vector<Held>& held);
  void Listen(const ConsumerAction& action);
  void RedisFailed(const absl::Status& status);
  std::vector<LogEntry> Take(pg::Tx& tx, const std::vector<Stream>& streams,
                             const std::vector<std::string>& tokens, int limit);
  void Publish();  // what the core counted, for Stats()
  std::string Where() const { return "consumer:" + options_.group; }

  const ConsumerOptions options_;
  pg::Pool& pool_;
  const Handler handler_;
  redis::Connection redis_;
  redis::Connection probe_;  // Asks with little patience whether a Redis that was away is back.
  LeaseKeeper leases_;
  Doorbell bell_;
  std::thread thread_;
  ConsumerCore core_;                   // of the loop's thread
  absl::Duration silent_about_redis_;  // monotonic; its absence is said now and then

  mutable absl::Mutex mu_;
  ConsumerStats stats_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::log
