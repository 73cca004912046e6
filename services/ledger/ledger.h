// Commands of callers, committed in natural batches.
//
// Each executor owns a disjoint set of parts. Its thread takes what waits now (never waits to
// fill), up to 128 commands and never two for one ticket or one request id, and commits them in one
// transaction. At low load a batch is one command. A batch that fails is retried one by one, so a
// bad item hurts only itself; not so when the database itself is away. A lost answer to a commit is
// found out by the request ids.
//
// That thread never waits for a ticket or a load row: a command that finds one it needs in other
// hands is tried again some milliseconds later, and before long goes to a second thread, which
// waits for one command at a time, as long as the pool's lock_timeout says. So a row that somebody
// holds for seconds delays those who need it, and those who need what such a waiting command has
// locked itself (the load rows of its ticket's agents); of others only the few that met somebody
// else's transaction several times in a row, by one wait. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
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
  int max_batch = 128;
  int max_queued = 4096;  // Over all executors; beyond it Submit refuses at once.
  // Called after the commit with each ticket that has come into its queue. Must not block; from a
  // thread of an executor. May be empty.
  std::function<void(const desk::Ticket&)> on_queued;
  // Tests bring their own.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

struct LedgerStats {
  int queued = 0;
  int64_t commands = 0;
  int64_t batches = 0;
  int64_t fallbacks = 0;  // Batches that had to be retried one by one.
  int64_t shed = 0;       // Commands not started because half of their time or all of it was gone.
  int64_t deferred = 0;   // Commands left to the thread that waits for locks.
};

class Ledger {
 public:
  // Called once, from a thread of an executor, after the commit or the refusal. Must not block.
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
    // Of one whose rows were in other hands: how often, and when to look again.
    int tries = 0;
    std::chrono::steady_clock::time_point again;
  };
  struct Lane;
  struct Executor;

  // The result of a command that was not staged because others hold its rows is empty.
  using Results = std::vector<std::optional<absl::StatusOr<Outcome>>>;

  void RunQuick(Executor& executor);
  void RunPatient(Lane& lane);
  std::vector<Item> TakeBatch(Lane& lane);
  // Answers all but those whose rows others hold, which it returns (with kForLocks none).
  std::vector<Item> CommitBatch(std::vector<Item> batch, Writer::Wait wait);
  absl::Status TryCommit(std::vector<Item*>& batch, Writer::Wait wait, Results& results);
  void Shed(Item& item, absl::Status why);
  void TryLater(Executor& executor, Item item);

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
  std::atomic<int64_t> deferred_{0};
};

}  // namespace potok::ledger
