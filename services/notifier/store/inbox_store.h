// Reading and marking inboxes. Thread-safe; may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "notifier/domain/inbox.h"
#include "platform/pg/transaction.h"

namespace potok::notifier {

struct InboxPage {
  std::vector<InboxItem> items;  // Newest first.
  bool more = false;
  int64_t unread = 0;
};

class InboxStore {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  explicit InboxStore(pg::Pool& pool) : pool_(pool) {}

  // Below sequence number `before`.
  absl::StatusOr<InboxPage> List(const std::string& employee, int64_t before, bool unread_only,
                                 int page_size, Deadline deadline) const;
  // Behind `after`, oldest first, at most `limit`.
  absl::StatusOr<std::vector<InboxItem>> After(const std::string& employee, int64_t after,
                                               int limit, Deadline deadline) const;
  absl::StatusOr<int64_t> LastSequence(const std::string& employee, Deadline deadline) const;
  // Of (employee, sequence number told) those with more, and up to where.
  absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> Moved(
      const std::vector<std::pair<std::string, int64_t>>& known) const;

 private:
  pg::Pool& pool_;
};

// Marks all up to `sequence`; answers how many are left unread. Throws pqxx: inside a transaction
// body.
int64_t MarkInboxRead(pg::Tx& tx, const std::string& employee, int64_t sequence);

}  // namespace potok::notifier
