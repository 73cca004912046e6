// The seam between the thread that sees tickets change (work/) and the streams that tell people
// (rpc/).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "desk/ticket/ticket.h"
#include "intake/domain/ticket_seen.h"

namespace potok::intake {

// Somebody who watches one ticket. Calls come one at a time, from the feed's thread; they must not
// block.
class TicketFollower {
 public:
  virtual ~TicketFollower() = default;

  // The next events in order, none left out and none twice, and the ticket after them (or later).
  virtual void Changed(const std::vector<desk::Event>& events, const TicketSeen& now) = 0;
  // Nothing has happened for a while: everything up to `version` has been told.
  virtual void Quiet(int64_t version) = 0;
  // The last word. Nothing is called afterwards.
  virtual void End(const absl::Status& status) = 0;
  // False once nobody listens; the feed then drops the follower.
  virtual bool listening() const = 0;
};

// Thread-safe.
class TicketFeed {
 public:
  virtual ~TicketFeed() = default;

  // Tells `follower` every event of the ticket with a version above `after`. The feed keeps it
  // until it stops listening or the ticket is archived.
  virtual void Follow(const std::string& ticket_id, int64_t after,
                      std::shared_ptr<TicketFollower> follower) = 0;
};

}  // namespace potok::intake
