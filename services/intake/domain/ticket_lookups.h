// Looks tickets up for callers who ask for one each: what waits at the same moment is read by one
// statement, and one ticket for all who want it.
//
// Nobody waits to be joined: a lookup that finds a reader free goes at once. Whoever comes while
// all readers are at work leaves its lookup to them and its thread to others. No I/O of its own.
// Thread-safe.
#pragma once

#include <chrono>
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
  // nullptr when there is no such ticket. Does not throw.
  using Done = std::function<void(absl::StatusOr<const TicketSeen*>)>;

  explicit TicketLookups(Read read) : read_(std::move(read)) {}

  // Calls `done` once: before it returns, or from the thread of another lookup. A lookup whose
  // deadline has passed is not read: DEADLINE_EXCEEDED. When the statement fails, all its lookups
  // do.
  void Find(std::string id, Deadline deadline, Done done);

 private:
  struct Lookup {
    std::string id;
    Deadline deadline;
    Done done;
  };
  // Statements at once: while one is on its way, the other's rows are turned into answers.
  static constexpr int kReaders = 2;
  static constexpr size_t kMostTickets = 64;  // Of one statement.

  std::vector<Lookup> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Serve(const std::vector<Lookup>& lookups);

  const Read read_;
  absl::Mutex mu_;
  int readers_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<Lookup> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::intake
