// Commands of callers, committed in natural batches.
//
// Each executor thread owns a disjoint set of parts and its own connection. It takes what waits now
// (never waits to fill), up to 64 commands and never two for one ticket or one request id, and
// commits them in one transaction. At low load a batch is one command. A batch that fails is
// retried one by one, so a bad item hurts only itself; not so when the database itself is away. A
// lost answer to a commit is found out by the request ids. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "ledger/writer.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"

namespace potok::ledger {

struct LedgerOptions {
  int executors = 2;
  int max_batch = 64;
  int max_queued = 4096;  // Over all executors; beyond it Submit refuses at once.
  // Tests bring their own.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

struct LedgerStats {
  int queued = 0;
  int64_t commands = 0;
  int64_t batches = 0;
  int64_t fallbacks = 0;  // Batches that had to be retried one by one.
  int64_t shed = 0;       // Commands not started because half of their time or all of it was gone.
};

class Ledger {
 public:
  // Called once, from an executor thread, after the commit or the refusal. Must not block.
  using Done = std::function<void(absl::StatusOr<Outcome>)>;
  // Called after each commit that appended events: wakes the relay. May be empty.
  using OnCommit = std::function<void()>;

  Ledger(pg::Pool& pool, Reference& reference, const Clock& clock, LedgerOptions options,
         OnCommit on_commit);
  // Finishes what is queued, then stops.
  ~Ledger();

  // Work past `deadline` is answered DEADLINE_EXCEEDED without being started. A full queue, and
  // work that has waited for more than half of its time, is RESOURCE_EXHAUSTED with a time to retry
  // after.
  void Submit(desk::Command command, std::chrono::steady_clock::time_point deadline, Done done);

  // The same, waiting for the answer: for callers that have a thread to spend.
  absl::StatusOr<Outcome> Execute(desk::Command command,
                                  std::chrono::steady_clock::time_point deadline);

  LedgerStats Stats() const;

 private:
  struct Item {
    desk::Command command;
    std::chrono::steady_clock::time_point since;
    std::chrono::steady_clock::time_point deadline;
    Done done;
  };
  struct Executor;

  void Run(Executor& executor);
  std::vector<Item> TakeBatch(Executor& executor);
  void CommitBatch(std::vector<Item> batch);
  absl::Status TryCommit(std::vector<Item*>& batch, std::vector<absl::StatusOr<Outcome>>& results);

  pg::Pool& pool_;
  Reference& reference_;
  const Clock& clock_;
  const LedgerOptions options_;
  const OnCommit on_commit_;
  std::vector<std::unique_ptr<Executor>> executors_;
  std::atomic<int> queued_{0};
  std::atomic<int64_t> commands_{0};
  std::atomic<int64_t> batches_{0};
  std::atomic<int64_t> fallbacks_{0};
  std::atomic<int64_t> shed_{0};
};

}  // namespace potok::ledger
