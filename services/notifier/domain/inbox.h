// The inbox of a portal: notices of one employee under rising sequence numbers, and who follows
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "notifier/domain/notice.h"

namespace potok::notifier {

struct InboxItem {
  std::string recipient;
  int64_t sequence = 0;
  std::string delivery_id;
  std::string ticket_id;
  std::string number;
  int64_t version = 0;
  Kind kind = Kind::kConfirmation;
  std::string title;
  std::string text;
  absl::Time at;  // Business time, as all instants here.
  std::optional<absl::Time> read_at;
};

// Somebody who follows an inbox. Called from the feed's thread; must not block.
class InboxFollower {
 public:
  virtual ~InboxFollower() = default;
  virtual void Arrived(const std::vector<InboxItem>& items) = 0;
  // Nothing came for a while; `sequence` is the last one told.
  virtual void Quiet(int64_t sequence) = 0;
  virtual void End(const absl::Status& status) = 0;
  virtual bool listening() const = 0;
};

class InboxFeed {
 public:
  virtual ~InboxFeed() = default;
  // Tells `follower` everything behind sequence number `after`, in order and once.
  virtual void Follow(const std::string& employee, int64_t after,
                      std::shared_ptr<InboxFollower> follower) = 0;
};

}  // namespace potok::notifier
