// Dead letters in the database. Thread-safe; may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/filter/filter.h"
#include "desk/filter/order_by.h"
#include "intake/domain/dead_letter.h"
#include "platform/pg/transaction.h"

namespace potok::intake {

struct DeadLetterQuery {
  desk::Filter filter;
  std::vector<desk::OrderTerm> order;
  std::optional<DeadLetterCursor> after;
  int page_size = 50;
  bool with_total = false;
};

struct DeadLetterPage {
  std::vector<DeadLetter> letters;
  bool more = false;
  std::int64_t total = 0;  // Only with_total.
};

class DeadLetterStore {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // `pool` outlives it.
  explicit DeadLetterStore(pg::Pool& pool) : pool_(pool) {}

  absl::StatusOr<DeadLetterPage> List(const DeadLetterQuery& query, Deadline deadline) const;
  absl::StatusOr<std::optional<DeadLetter>> Find(const DeadLetterKey& key, Deadline deadline) const;
  // Parked ones by group; groups without any are absent.
  absl::StatusOr<std::map<std::string, std::int64_t>> Parked() const;

 private:
  pg::Pool& pool_;
};

// What follows is part of the caller's transaction and throws pqxx.

struct HeldLetters {
  std::vector<DeadLetterKey> parked;  // Locked, the ones parked longest first.
  // Of those asked for by name.
  std::vector<DeadLetterKey> settled;
  std::vector<DeadLetterKey> unknown;
  std::int64_t remaining = 0;  // Parked ones that the filter selects beyond the limit.
};

HeldLetters HoldNamed(pg::Tx& tx, const std::vector<DeadLetterKey>& keys);
// At most `limit` parked ones that `filter` selects. INTERNAL for a filter not made by
// ParseDeadLetterFilter.
absl::StatusOr<HeldLetters> HoldFiltered(pg::Tx& tx, const desk::Filter& filter, int limit);

struct ScheduledLetters {
  int count = 0;
  std::optional<absl::Time> last_at;
};
ScheduledLetters ScheduleReplay(pg::Tx& tx, const std::vector<DeadLetterKey>& keys,
                                double rate_per_second, const std::string& request_id,
                                const std::string& principal);

// How many of each group were dropped.
std::map<std::string, int> DropLetters(pg::Tx& tx, const std::vector<DeadLetterKey>& keys,
                                       const std::string& reason, const std::string& principal);

}  // namespace potok::intake
