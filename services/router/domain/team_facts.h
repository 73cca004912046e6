// From what is stored about a team to the candidates of the routing policy. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/calendar/calendar.h"
#include "desk/flow/flow.h"
#include "desk/routing/plan.h"
#include "desk/ticket/ticket.h"

namespace potok::router {

inline constexpr char kOnline[] = "online";
inline constexpr char kAway[] = "away";
inline constexpr char kOffline[] = "offline";

// One member of a flow, present employees only, as stored at one moment.
struct MemberFacts {
  std::string employee;
  int line = 1;
  std::string
      calendar;  // Calendar id of their working hours; empty: that of the flow's SLA policy.
  std::vector<std::string> skills;
  std::vector<std::string> languages;
  int wanted_cap = 0;         // By the definition; the load row has to follow it.
  std::optional<int> active;  // Of the load row; none: there is no row yet.
  std::optional<int> cap;
  std::optional<int> total_active;  // Over all flows, when such a limit is kept.
  std::optional<int> total_cap;
  std::string presence = kOffline;  // As it was said last.
  std::optional<absl::Time> until;  // Until when it holds.
  bool on_leave = false;
};

// What was said last, after its end has had its effect: then nobody knows, and that counts as
// offline.
std::string PresenceAt(const std::string& said, std::optional<absl::Time> until, absl::Time now);

// `hours` may be nullptr: the calendar is unknown, and nobody is kept from work for that.
desk::Candidate CandidateOf(const MemberFacts& member, const desk::Calendar* hours, absl::Time now);

desk::FlowRouting RoutingOf(const desk::Flow& flow);

// A queued ticket as the policy sees it. The former holder is preferred only for one that came back
// through no fault of the ticket (`front`): who returns a ticket by hand does not want it next.
desk::WaitingTicket WaitingOf(const desk::Ticket& ticket);

// Whether the candidate could take some ticket of their line now.
bool IsAvailable(const desk::Candidate& candidate, const desk::FlowRouting& flow);

// Whether a pass of this mode may give tickets away at all.
bool AssignsByItself(desk::DistributionMode mode);

// Tickets of one flow that the policy cannot tell apart when it asks why nobody takes them.
struct QueueProfile {
  int line = 1;
  std::vector<std::string> excluded;
};

// Why a ticket of each profile would stay in the queue; kReady for one that somebody could take.
std::vector<desk::QueueReason> ReasonsOf(const std::vector<QueueProfile>& profiles,
                                         const desk::FlowRouting& flow,
                                         const std::vector<desk::Candidate>& candidates,
                                         absl::Time now);

}  // namespace potok::router
