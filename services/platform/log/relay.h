#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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
#include "platform/log/outbox_slots.h"
#include "platform/log/relay_core.h"
#include "platform/log/wake.h"
#include "platform/pg/pool.h"
#include "platform/redis/redis.h"

namespace potok::log {

struct RelayOptions {
  std::vector<int> parts;  // to compete for; normally all
  std::string owner;       // see MakeOwner
  StreamKey stream_key;
  std::string wake_channel;  // "": no other process writes the outbox
  redis::Options redis;
  int batch_per_part = 256;
  // From one move out of the outbox to the next, unless there is more than one can take: moving one
  // row costs the database nearly as much as moving twenty. What comes after a rest goes at once.
  absl::Duration pace = absl::ZeroDuration();
  // The outbox is looked at this often without being woken: after work, and when nothing moved.
  absl::Duration busy_poll = absl::Milliseconds(20);
  absl::Duration idle_poll = absl::Milliseconds(200);
  absl::Duration check_redis = absl::Seconds(1);
  absl::Duration trim = absl::Seconds(10);
  absl::Duration keep_log = absl::Hours(24 * 14);  // event_log rows; consumed ones only
  LeaseTimes lease_times;
  Hooks hooks;
};

struct RelayStats {
  int parts = 0;                  // owned now
  std::int64_t sequenced = 0;     // entries moved from the outbox to the log
  std::int64_t published = 0;     // entries accepted by Redis
  std::int64_t republished = 0;   // of these, entries Redis had lost
  std::int64_t incarnations = 0;  // times a stream had to start anew
  std::int64_t trimmed = 0;
  bool redis_up = false;
  bool paused = false;       // Redis is nearly full, nothing is announced
  std::int64_t backlog = 0;  // outbox rows of the owned parts at the last look (each check_redis)
  absl::Duration oldest;     // age of the oldest of them
};

// The sequencer: moves rows from ledger.outbox to ledger.event_log, giving each the next position
// of its (topic, part), and announces them in Redis.
//
// Promise: every committed outbox row gets exactly one position; positions of a (topic, part) are
// dense and follow the order of the outbox ids of each entity. One owner per part, held by a lease
// whose token stands in ledger.part_head and is checked by the statement that moves rows, so a
// relay that lost its lease moves nothing.
//
// Redis holds copies and may lose them at any time: XADD carries the explicit id POS-0, so a repeat
// or a zombie can neither duplicate nor reorder; each second and after each reconnect the last id
// of every stream is compared with the head, and what is missing is added again from event_log. A
// stream that lost its beginning but has taken newer entries since stays as it is: consumers take
// entries from Postgres, and the newest one wakes whoever is behind. A stream that is *ahead* of
// Postgres (whose failover lost a tail) gets a new incarnation: new key.
//
// Threads: one loop, one lease keeper, one wake listener when wake_channel is set. Notify() is
// thread-safe and costs no I/O: the ledger calls it after each commit.
class Relay {
 public:
  Relay(RelayOptions options, pg::Pool& pool);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void Start();
  void Stop();  // ends within a second, gives the leases back; may be called twice
  void Notify() { bell_.Ring(); }
  RelayStats Stats() const;

 private:
  void Run();
  // Does what the core asks for and tells it the outcome. An error is reported by the caller.
  absl::Status Perform(const RelayAction& action);
  absl::Status PerformOnDatabase(const RelayAction& action);
  absl::Status PerformOnRedis(const RelayAction& action);

  absl::Status Look();
  absl::Status Sequence();
  absl::Status Raise(const RelayAction& action);
  absl::Status ReadLog(const RelayAction& action);
  absl::Status Prune();  // event_log
  absl::Status Probe();
  absl::Status Inspect(const RelayAction& action);
  absl::Status Drop(const RelayAction& action);
  absl::Status Trim(const RelayAction& action);  // Redis
  absl::Status Send(const RelayAction& action);
  void Paused(bool paused);

  std::string KeyOf(Stream stream, int incarnation) const {
    return options_.stream_key(incarnation, stream.first, stream.second);
  }
  RelayCore::Link Link() const { return {redis_.generation(), redis_.connected()}; }

  const RelayOptions options_;
  pg::Pool& pool_;
  redis::Connection redis_;
  redis::Connection probe_;  // Asks with little patience whether a Redis that was away is back.
  LeaseKeeper leases_;
  OutboxSlots slots_;
  Doorbell bell_;
  absl::Duration next_move_ = -absl::InfiniteDuration();  // monotonic; of the loop's thread
  std::unique_ptr<WakeListener> listener_;
  std::thread thread_;
  RelayCore core_;  // Of the loop's thread.

  std::atomic<int> stat_parts_{0};
  std::atomic<std::int64_t> stat_sequenced_{0}, stat_published_{0}, stat_republished_{0},
      stat_incarnations_{0}, stat_trimmed_{0}, stat_backlog_{0}, stat_oldest_ms_{0};
  std::atomic<bool> stat_redis_up_{false}, stat_paused_{false};
};

}  // namespace potok::log
