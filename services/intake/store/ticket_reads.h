// Reading tickets for callers. Thread-safe; every call takes a connection of the pool and may
// block.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/ticket/ticket.h"
#include "intake/domain/ticket_seen.h"
#include "platform/pg/pool.h"

namespace potok::intake {

// What happened to a ticket after some version, and the ticket itself, of one moment.
struct TicketChanges {
  TicketSeen now;
  std::vector<desk::Event> events;  // Ascending, without gaps.
};

// A watched ticket and the version its watchers know.
struct WatchedTicket {
  std::string id;
  int64_t version = 0;
  bool archived = false;  // Only in answers.
};

class TicketReads {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit TicketReads(pg::Pool& pool) : pool_(pool) {}

  // Those of `ids` that exist, by id; one statement for all.
  absl::StatusOr<std::map<std::string, TicketSeen>> FindAll(const std::vector<std::string>& ids,
                                                            Deadline deadline) const;
  // nullopt when there is no such ticket, whatever `id` looks like.
  absl::StatusOr<std::optional<TicketSeen>> Find(const std::string& id, Deadline deadline) const;

  // The ticket and at most `limit` of its events after version `after`; nullopt when there is none.
  absl::StatusOr<std::optional<TicketChanges>> ChangesAfter(const std::string& id, int64_t after,
                                                            int limit, Deadline deadline) const;

  // Whether the holder of the ticket cannot go on with it at `now`: absent, out of the flow's team,
  // or gone from the company.
  absl::StatusOr<bool> HolderGone(const desk::Ticket& ticket, absl::Time now,
                                  Deadline deadline) const;

  // Those of `known` that have a newer version now, or are archived; one statement for all.
  absl::StatusOr<std::vector<WatchedTicket>> Moved(const std::vector<WatchedTicket>& known) const;

 private:
  pg::Pool& pool_;
};

}  // namespace potok::intake
