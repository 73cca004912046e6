// Between the words of the desk and those of potok.router.v1. Pure functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/routing/plan.h"
#include "desk/ticket/ticket.h"
#include "platform/clock/clock.h"
#include "potok/router/v1/router.pb.h"
#include "potok/router/v1/team.pb.h"
#include "router/domain/decision_text.h"
#include "router/domain/team_facts.h"
#include "router/store/decision_reads.h"
#include "router/store/team_store.h"

namespace potok::router {

std::string TicketName(absl::string_view id);
std::string EmployeeName(absl::string_view id);  // "" for nobody.
std::string FlowName(absl::string_view id);
// The n-th part of a resource name: PartOfName("flows/it/members/petrov", 3) is "petrov"; "" when
// there is none.
std::string PartOfName(absl::string_view name, size_t n);

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out);
absl::Time TimeOf(const google::protobuf::Timestamp& time);

api::v1::QueueReason ToWire(desk::QueueReason reason);
api::v1::DistributionMode ToWire(desk::DistributionMode mode);
v1::ExclusionReason ToWire(desk::VerdictReason reason);
// `status` as stored: "online", "away", "offline".
v1::Presence::Status PresenceToWire(absl::string_view status);
std::string PresenceFromWire(v1::Presence::Status status);  // "" for one that cannot be said.

// A queued ticket is shown with `reason`.
v1::Placement PlacementOf(const desk::Ticket& ticket, desk::QueueReason reason);

// `version` of the ticket that the decision made; 0 for one that gave it to nobody.
v1::Decision ToWire(const StoredDecision& stored, int64_t version, int flow_version,
                    const NameOf& name_of);
// An assignment by hand, from its event.
v1::Decision HandDecision(const desk::Ticket& ticket, const desk::Event& event,
                          const NameOf& name_of);

v1::Member ToWire(const std::string& flow, const MemberRow& row, absl::Time now);

// The version in an etag; nothing for an empty one, INVALID_ARGUMENT for one that is none of ours.
absl::StatusOr<std::optional<int64_t>> VersionOf(const std::string& field, const std::string& etag);

// Real time, up to a constant: page tokens live a day of the clock on the wall, also when business
// time is scaled.
absl::Time TokenTime(const Clock& clock);

// Refusals that several calls share.
absl::Status NoSuchFlow(const std::string& flow);
absl::Status NoSuchEmployee(const std::string& field, const std::string& employee);
absl::Status StaleEtag(const std::string& name, int64_t current);
absl::Status AlreadyTaken(const desk::Ticket& ticket);
absl::Status SelfPickOff(const std::string& flow);

}  // namespace potok::router
