// Facts and counters in Postgres. Throws pqxx: called inside transaction bodies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "platform/log/entry.h"
#include "platform/pg/transaction.h"

namespace potok::analytics {

// One row of counters: of an agent in the flow, or of the flow itself (agent "").
struct Counters {
  std::string agent;
  int64_t pending_approval = 0, queued = 0, assigned = 0, in_progress = 0, waiting = 0;
  int64_t resolved = 0, closed = 0, cancelled = 0;
  int64_t handed = 0, finished = 0, judged = 0, on_time = 0, rated = 0, rating_sum = 0;
  int64_t sent_back = 0, reopened = 0;
};

struct AgentLoadRow {
  std::string agent;
  int active = 0;
  int cap = 0;
};

struct BoardRows {
  std::vector<Counters> counters;  // The flow itself first, then agents by id.
  std::vector<AgentLoadRow> loads;
  std::optional<absl::Time> oldest_queued_at;
  std::string oldest_ticket;
  int64_t overdue = 0;
  std::optional<absl::Duration> resolution_p50, resolution_p90;
};

// Brings facts and counters of the entries' tickets up to date. Repeats and reordering change
// nothing.
void ApplyContributions(pg::Tx& tx, const std::vector<log::LogEntry>& entries);

// The board of a flow at `now`; counters are empty when nothing was ever filed.
BoardRows ReadBoard(pg::Tx& tx, const std::string& flow, absl::Time now);

}  // namespace potok::analytics
