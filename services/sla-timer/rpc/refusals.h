// What the calls of this service refuse, each with the way out, in English and Russian.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "desk/access/visibility.h"
#include "ledger/reference.h"

namespace potok::sla_timer {

absl::Status IdTaken(absl::string_view collection, const std::string& id);
absl::Status NoSuchCalendar(const std::string& id);
absl::Status NoSuchPolicy(const std::string& id);
absl::Status NoSuchFlow(const std::string& id);
// PERMISSION_DENIED in the words used for a ticket that is not the caller's to see; NOT_FOUND for
// those who see every ticket and may therefore know that there is none.
absl::Status NoSuchTicket(const desk::Viewer& viewer, const std::string& id);
absl::Status StaleEtag(const std::string& name, int version);
absl::Status Conflict(const std::string& name);
// The calendar of a policy that flows use: clocks that run were promised by it.
absl::Status CalendarInUse(const std::string& policy_id, const std::string& calendar_id);
// The term does not end within the years of the calendar.
absl::Status CalendarExhausted(const std::string& calendar_id);
// The flow of the ticket, its policy or calendar is not readable here yet.
absl::Status ReferenceNotReady(const std::string& flow_id);

// Brings the own snapshot up to what was committed. Others see it within a poll; failing to read it
// here does not undo the write, so it is only logged.
void CatchUp(ledger::Reference& reference);

}  // namespace potok::sla_timer
