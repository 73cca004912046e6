// A delivery as people ask about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

#include "notifier/domain/notice.h"

namespace potok::notifier {

struct Delivery {
  std::string id;  // UUID that carries its part, like a ticket's.
  std::string ticket_id;
  int64_t version = 0;  // Of the event that caused it.
  std::string flow_id;
  std::string rule;
  Kind kind = Kind::kConfirmation;
  Role role = Role::kRequester;
  std::string recipient;
  Channel channel = Channel::kInbox;
  std::string address;
  std::string locale;
  std::string title;  // Empty until it was written.
  DeliveryState state = DeliveryState::kPending;
  std::string reason;  // Why it was suppressed.
  int attempts = 0;
  std::string last_error;
  std::string message_id;
  absl::Time planned_at;              // Business time, as the others.
  std::optional<absl::Time> next_at;  // Unset in a final state, and while no channel takes it.
  std::optional<absl::Time> finished_at;
};

// The same for the same event, recipient and channel, however often it is planned; ascending with
// `at`.
std::string DeliveryIdOf(int part, absl::Time at, const std::string& ticket_id, int64_t version,
                         const std::string& recipient, Channel channel);

}  // namespace potok::notifier
