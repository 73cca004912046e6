#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "platform/log/careful_turn.h"
#include "platform/log/consumer_core.h"
#include "platform/log/dead_letter_replay.h"
#include "platform/log/doorbell.h"
#include "platform/log/entry.h"
#include "platform/log/hand.h"
#include "platform/log/handler.h"
#include "platform/log/handler_run.h"
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
  // From the beginning of one batch to that of the next, unless there is more than one can hold: a
  // batch of one costs the database nearly as much as one of fifty, so a group whose effects nobody
  // waits for lets some gather. What comes after a rest is taken at once.
  absl::Duration pace = absl::ZeroDuration();
  absl::Duration sweep = absl::Seconds(1);  // Postgres is looked at this often anyway
  absl::Duration poll_without_redis = absl::Milliseconds(100);
  int attempts = 5;                                      // of one entry, before it is parked
  absl::Duration first_retry = absl::Milliseconds(100);  // then four times as long each time
  absl::Duration handler_budget = absl::Seconds(3);      // a run that takes longer is given up
  // Entries of a stream that run alone after its owner vanished; at least a batch, so that they
  // reach whatever the owner died of.
  int careful = 100;
  int deaths = 3;        // of owners at one entry, before it is parked
  int left_behind = 16;  // hanging runs, before the group stands aside until some of them end
  LeaseTimes lease_times;
  Hooks hooks;
};

struct ConsumerStats {
  int parts = 0;              // owned now
  std::int64_t lag = 0;       // entries behind the heads of the owned streams, at the last sweep
  std::int64_t handled = 0;   // entries whose effects were committed
  std::int64_t failures = 0;  // handler runs that failed, hangs among them
  std::int64_t hangs = 0;     // handler runs that were given up
  std::int64_t parked = 0;
  std::int64_t refused = 0;   // batches dropped because the lease had passed to another owner
  std::int64_t deaths = 0;    // attempts that the owner before us did not survive
  std::int64_t phantoms = 0;  // entries Redis had and the log had not
  bool redis_up = false;
  int failing_streams = 0;      // streams standing at an entry that fails
  int left_behind = 0;          // runs that were given up and have not ended yet
  bool standing_aside = false;  // because there are too many of those
  ReplayStats replay;           // dead letters carried out again
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
// An entry fails when its handler returns an error, throws anything, or does not end within
// handler_budget. In the last case its database session is ended, so that it holds no locks and can
// never commit, and its thread is left behind; the next run gets another. An entry that takes the
// process with it is found out by the owners that follow: see ConsumerCore. All three are parked
// within 25 s, and the entries behind it in its stream wait no longer; those of other streams wait
// for one budget at a time.
//
// Threads: one loop, one lease keeper, one hand. The handler runs in the hand's thread, one run at
// a time but for runs that were left behind: those may still be in the handler when the next one
// begins, so what a handler shares with itself needs a lock. after_commit runs in the loop's
// thread, after the handler.
class Consumer {
 public:
  Consumer(ConsumerOptions options, pg::Pool& pool, Handler handler);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  void Start();
  // Ends within a second after the running handler or its budget; may be called twice. Runs that
  // were left behind are waited for by the destructor.
  void Stop();
  ConsumerStats Stats() const;
  // Whether this process handles the part, as of its last turn.
  bool Owns(int part) const;

 private:
  std::unique_ptr<LeaseKeeper> MakeLeases();
  absl::Status Stamp(pg::Tx& tx, const std::vector<Held>& gained);
  void Run();
  // Does what the core asks for and tells it what came of it.
  void Do(const ConsumerAction& action, const std::vector<Held>& held);
  absl::Status Sweep(const std::vector<Held>& held);
  absl::Status Take(const ConsumerAction& action, const std::vector<Held>& held);
  // One run of the handler by the hand. When it hangs and it is not sure that the run holds nothing
  // any more, the status is that of the database: it is not known then whose fault the hang was.
  HandlerRun::Outcome Carry(HandlerRun::Take take);
  // The same for a dead letter. If it kills the process, another group's attempt must not be open.
  HandlerRun::Outcome CarryAgain(HandlerRun::Take take);
  void Announce(const std::vector<LogEntry>& entries, absl::Duration took);
  // Makes sure that the run which was given up holds nothing any more. The error is one of the
  // database.
  absl::Status LeaveBehind(int backend);
  absl::Status Note(const ConsumerAction& action, const std::vector<Held>& held);
  absl::Status Unnote(const ConsumerAction& action, const std::vector<Held>& held);
  absl::Status Park(const ConsumerAction& action, const std::vector<Held>& held);
  void Listen(const ConsumerAction& action);
  void RedisFailed(const absl::Status& status);
  // Without leases, until enough of the runs left behind have ended.
  void StandAside();
  void ForgetEndedHands();
  void SayPhantoms();
  void Publish(const std::vector<Held>& held);  // for Stats() and Owns()
  std::string Where() const { return "consumer:" + options_.group; }

  const ConsumerOptions options_;
  pg::Pool& pool_;
  const Handler handler_;
  DeadLetterReplay replay_;  // runs in the loop's thread, between batches
  redis::Connection redis_;
  redis::Connection probe_;  // asks with little patience whether a Redis that was away is back
  Doorbell bell_;
  std::atomic<std::int64_t> deaths_{0};
  std::thread thread_;
  // Of the loop's thread from Start() on.
  std::unique_ptr<LeaseKeeper> leases_;
  std::unique_ptr<Hand> hand_;
  std::vector<std::unique_ptr<Hand>> left_behind_;
  CarefulTurn careful_turn_;
  ConsumerCore core_;
  absl::Duration next_batch_ = -absl::InfiniteDuration();  // monotonic
  absl::Duration silent_about_redis_;  // monotonic; its absence is said now and then

  mutable absl::Mutex mu_;
  ConsumerStats stats_ ABSL_GUARDED_BY(mu_);
  std::vector<int> owned_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::log
