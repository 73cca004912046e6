// What Potok holds of a recorded log: the tickets of its flows with their histories.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "connection.h"
#include "replay_cast.h"

namespace potok::ctl {

struct ReplayedTicket {
  intake::v1::Ticket ticket;  // Basic view.
  std::vector<intake::v1::TicketEvent> events;
};

// By case id. `shown(done, total)` is called now and then.
absl::StatusOr<std::map<std::string, ReplayedTicket>> ReadReplayed(
    Connection& connection, const Cast& cast, const std::function<void(int64_t, int64_t)>& shown);

// The title a case is filed under; it names the case, so that a later run finds it again.
std::string TitleOf(const RecordedCase& c);

}  // namespace potok::ctl
