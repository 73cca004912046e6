// Looks tickets up for callers who ask for one each: what waits at the same moment is read by one
// statement, and one ticket for all who want it.
//
// Nobody waits to be joined: a lookup that finds a reader free goes at once. Whoever comes while
// all readers are at work leaves its lookup to them and its thread to others; how many may wait so
// is bounded, and what has waited for more than half of its time is not read any more. No I/O of
// its own. Thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "intake/domain/ticket_seen.h"

namespace potok::intake {

class TicketLookups {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  using Tickets = std::map<std::string, TicketSeen>;  // By id.
  // Reads those of `ids` that exist; each id is named once.
  using Read = std::function<absl::StatusOr<Tickets>(const std::vector<std::string>& ids,
                                                     Deadline deadline)>;
  // nullptr when there is no such ticket.
  using Done = std::function<void(absl::StatusOr<const TicketSeen*>)>;
  using Now = std::function<Deadline()>;

  static constexpr size_t kMostWaiting = 1024;

  explicit TicketLookups(Read read, Now now = std::chrono::steady_clock::now)
      : read_(std::move(read)), now_(std::move(now)) {}

  // Calls `done` once: before it returns, or from the thread of another lookup. RESOURCE_EXHAUSTED
  // with a time to retry after when too many wait or too much of the time has passed,
  // DEADLINE_EXCEEDED when all of it has. When a statement fails, all its lookups do; but when what
  // it read could not be understood (INTERNAL), only that of the ticket.
  void Find(std::string id, Deadline deadline, Done done);

  // The same for a thread that must not wait for a statement: true when the lookup is left to
  // readers that are at work, or has been refused; false when nothing has been done, and Find is
  // to be called where it may wait.
  bool Join(const std::string& id, Deadline deadline, const Done& done);
  // Whether Join would most likely take it; it alone decides.
  bool Busy() const;

 private:
  struct Lookup {
    std::string id;
    Deadline since, deadline;
    Done done;
  };
  // Statements at once: while one is on its way, the other's rows are turned into answers.
  static constexpr int kReaders = 2;
  static constexpr size_t kMostTickets = 64;  // Of one statement.

  std::vector<Lookup> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Serve(std::vector<Lookup> lookups);
  // Reads for lookups of which each is still worth it, and answers them.
  void ReadFor(const std::vector<Lookup>& lookups);

  const Read read_;
  const Now now_;
  mutable absl::Mutex mu_;
  int readers_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<Lookup> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::intake
