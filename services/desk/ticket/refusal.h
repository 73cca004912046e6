// The refusals of Decide: each names the ticket, the reason and the way out, in English and
// Russian.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "desk/ticket/decide.h"
#include "desk/ticket/ticket.h"

namespace potok::desk {

// Same answer for "not yours" and "not there": existence is not told to those who may not see.
absl::Status Hidden();
absl::Status Forbidden(absl::string_view what, absl::string_view who_may,
                       absl::string_view who_may_ru);
absl::Status IllegalMove(const Ticket& ticket, EventType type);
absl::Status EtagMismatch(const Ticket& ticket, int64_t expected);
absl::Status AtCap(const Ticket& ticket, const std::string& agent, const AgentLoad& load);
absl::Status NotEligible(const Ticket& ticket, const std::string& agent, absl::string_view why);
absl::Status AlreadyRated(const Ticket& ticket);
absl::Status WindowOver(const Ticket& ticket, int days);
absl::Status NoTerm(const Ticket& ticket);
// Not an error of anyone: the timer was overtaken by events.
absl::Status StaleTimer(const Ticket& ticket, absl::string_view kind);

}  // namespace potok::desk
