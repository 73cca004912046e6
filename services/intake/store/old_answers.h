// The remembered answers of idempotent calls that nobody may ask for any more.
#pragma once

#include "absl/status/statusor.h"

#include "platform/pg/pool.h"

namespace potok::intake {

// Thread-safe.
class OldAnswers {
 public:
  explicit OldAnswers(pg::Pool& pool) : pool_(pool) {}

  // Drops at most `limit` of each kind that are older than seven days of real time; how many of the
  // kind that had more.
  absl::StatusOr<int> Drop(int limit) const;

 private:
  pg::Pool& pool_;
};

}  // namespace potok::intake
