// Flows and their published versions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/flow/flow.h"
#include "platform/pg/transaction.h"

namespace potok::intake {

struct StoredFlow {
  desk::Flow flow;
  absl::Time created_at;
  absl::Time published_at;  // Of this version.
};

// Thread-safe. Functions that take a Tx are part of the caller's transaction and throw pqxx.
class FlowStore {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit FlowStore(pg::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::optional<StoredFlow>> Find(const std::string& id, Deadline deadline) const;
  // By id, those after `after`; at most `limit`.
  absl::StatusOr<std::vector<StoredFlow>> List(const std::string& after, int limit,
                                               Deadline deadline) const;

  // Holds the flow until the end of the transaction; nothing when there is none.
  static absl::StatusOr<std::optional<StoredFlow>> Lock(pg::Tx& tx, const std::string& id);
  // Version 1. ALREADY_EXISTS when the id or the prefix is taken.
  static absl::Status Create(pg::Tx& tx, const StoredFlow& flow, const std::string& by);
  // One more version of a locked flow.
  static void Publish(pg::Tx& tx, const StoredFlow& flow, const std::string& by);

 private:
  pg::Pool& pool_;
};

}  // namespace potok::intake
