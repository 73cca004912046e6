// The deliveries that are to be sent: taken under a lease, settled by its token. Thread-safe; may
// block.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "notifier/domain/audience.h"
#include "notifier/domain/delivery.h"
#include "notifier/domain/notice_facts.h"
#include "platform/pg/pool.h"

namespace potok::notifier {

// A delivery this process may send until its lease ends.
struct ClaimedDelivery {
  int part = 0;
  std::string id;
  std::string ticket_id;
  int64_t version = 0;
  std::string rule;
  Kind kind = Kind::kConfirmation;
  Role role = Role::kRequester;
  std::string recipient;
  std::string address;
  std::string locale;
  NoticeFacts facts;
  std::string words;  // What people wrote with the event.
  std::string message_id;
  int attempts = 0;    // With this one.
  absl::Duration age;  // Real, since it was planned.
  TicketNow ticket;
};

struct Settlement {
  DeliveryState state = DeliveryState::kSent;
  std::string reason;  // Of a suppressed one.
  std::string error;
  std::string title;        // As it was written; empty when it was not.
  absl::Duration again_in;  // Of a pending one, real.
  bool uncounted = false;   // The try said nothing about the message, so it is not one.
};

struct Undelivered {
  Channel channel = Channel::kInbox;
  int64_t waiting = 0;
  absl::Duration oldest;  // Real, since the event.
};

class DeliveryQueue {
 public:
  explicit DeliveryQueue(pg::Pool& pool) : pool_(pool) {}

  // At most `limit`, ascending by id; never two for one ticket, recipient and channel. `token` is a
  // UUID of this claim.
  absl::StatusOr<std::vector<ClaimedDelivery>> Claim(Channel channel, int limit,
                                                     const std::string& token,
                                                     absl::Duration lease) const;

  // The real time since the event, or NOT_FOUND when the lease has passed to somebody else.
  absl::StatusOr<absl::Duration> Settle(const ClaimedDelivery& delivery, const std::string& token,
                                        const Settlement& settlement) const;

  // Gives back what was not tried.
  absl::Status Release(const std::vector<ClaimedDelivery>& untried, const std::string& token) const;

  // What waited for `channel` to be there is due from now on.
  absl::Status OpenChannel(Channel channel) const;

  absl::StatusOr<std::vector<Undelivered>> Waiting() const;

 private:
  pg::Pool& pool_;
};

}  // namespace potok::notifier
