#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "platform/log/doorbell.h"
#include "platform/log/entry.h"
#include "platform/log/hooks.h"
#include "platform/log/lease.h"
#include "platform/pg/transaction.h"
#include "platform/redis/redis.h"

namespace potok::log {

// Applies the entries' effects inside `tx`, which also moves the offsets past them: both commit or
// neither. Entries are ascending by (topic, part, position). Runs again from nothing when the
// transaction is repeated, and must not touch what does not roll back.
using Handler = std::function<absl::Status(pg::Tx& tx, const std::vector<LogEntry>& entries)>;

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
  int failing_streams = 0;  // streams standing at an entry that fails
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
  using Stream = std::pair<int, int>;  // topic, part
  struct Place {
    std::int64_t offset = 0;
    std::int64_t head = 0;  // at the last sweep
    std::int64_t hint = 0;  // the last Redis entry seen; beyond the log only for phantoms
    int incarnation = 1;
    int failed = 0;                 // attempts of the entry after offset
    std::int64_t single_until = 0;  // entries up to here go one by one
    absl::Duration not_before;      // monotonic; a failing entry waits
    std::string last_error;

    bool single() const { return failed > 0 || single_until > offset; }
  };

  void Run();
  // Re-reads places_ and puts the streams that have something to do into news_.
  absl::Status Sweep(const std::vector<Held>& held);
  // Waits at most `timeout` for news in Redis.
  absl::Status Listen(absl::Duration timeout);
  // One batch, or one entry of each failing stream. The error is one of the database, never of the
  // handler's.
  absl::Status Step(const std::vector<Held>& held, const std::vector<Stream>& streams);
  absl::Status StepTogether(const std::vector<Stream>& streams,
                            const std::map<int, std::string>& tokens);
  absl::Status StepSingle(Stream stream, const std::string& token);
  absl::Status Park(Stream stream, const std::string& token);
  std::vector<LogEntry> Take(pg::Tx& tx, const std::vector<Stream>& streams,
                             const std::vector<std::string>& tokens, int limit);
  void Committed(const std::vector<LogEntry>& entries, absl::Duration start);
  std::string Where() const { return "consumer:" + options_.group; }

  const ConsumerOptions options_;
  pg::Pool& pool_;
  const Handler handler_;
  redis::Connection redis_;
  LeaseKeeper leases_;
  Doorbell bell_;
  std::thread thread_;
  // Of the loop's thread.
  std::map<Stream, Place> places_;
  std::set<Stream> news_;  // streams to look at

  std::atomic<int> stat_parts_{0}, stat_failing_{0};
  std::atomic<std::int64_t> stat_lag_{0}, stat_handled_{0}, stat_failures_{0}, stat_parked_{0},
      stat_refused_{0};
  std::atomic<bool> stat_redis_up_{false};
};

}  // namespace potok::log
