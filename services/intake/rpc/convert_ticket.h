// Between a ticket of the desk and a ticket on the wire. Pure functions, thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/routing/plan.h"
#include "desk/ticket/ticket.h"
#include "intake/domain/ticket_filing.h"
#include "potok/intake/v1/intake.pb.h"

namespace potok::intake {

// `now` (business time) decides `overdue` of a ticket whose term has run out unnoticed. `reason` is
// shown for a queued ticket only.
v1::Ticket ToWire(const desk::Ticket& ticket, v1::TicketView view, absl::Time now,
                  desk::QueueReason reason);

// Reads what a requester filled in; output-only fields are ignored. INVALID_ARGUMENT for an answer
// of a shape that no form field has (a nested object, a list of numbers).
absl::StatusOr<Filing> FilingFromWire(const v1::Ticket& ticket);

// Whether the term ran out before the result, now or then. List filters use the same rule in SQL.
bool IsOverdue(const desk::Ticket& ticket, absl::Time now);

// "tickets/UUID" and the like. `IdOf` gives what follows the collection; "" when it is another one.
std::string TicketName(absl::string_view id);
std::string EmployeeName(absl::string_view id);  // "" for nobody.
std::string FlowName(absl::string_view id);
std::string IdOf(absl::string_view collection, absl::string_view name);

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out);
absl::StatusOr<absl::Time> TimeFromWire(absl::string_view field,
                                        const google::protobuf::Timestamp& time);

v1::Ticket::State StateToWire(desk::State state);

}  // namespace potok::intake
