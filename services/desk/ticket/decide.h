// The two pure functions every change of a ticket goes through.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/calendar/calendar.h"
#include "desk/flow/flow.h"
#include "desk/sla/policy.h"
#include "desk/ticket/command.h"
#include "desk/ticket/ticket.h"

namespace potok::desk {

struct AgentLoad {
  int active = 0;
  int cap = 0;
  bool HasRoom() const { return active < cap; }
};

// What a decision depends on beside the ticket. Loads are those of rows locked by the same
// transaction.
struct Facts {
  const Flow* flow = nullptr;          // The version the ticket was opened under.
  const SlaPolicy* policy = nullptr;   // Of that flow.
  const Calendar* calendar = nullptr;  // Of that policy.
  std::map<std::string, AgentLoad>
      loads;  // By agent, in the ticket's flow; a missing one is no member.
};

// What the command does to the ticket at `now`, or why it may not. Total and deterministic.
// `ticket` is nullptr for CreateTicket. Errors: PERMISSION_DENIED (not this caller),
// FAILED_PRECONDITION ILLEGAL_MOVE and friends (not in this state), ABORTED ETAG_MISMATCH,
// RESOURCE_EXHAUSTED AGENT_AT_CAP, INVALID_ARGUMENT (never in this form). Refusals change nothing.
absl::StatusOr<Event> Decide(const Facts& facts, const Ticket* ticket, const Command& command,
                             absl::Time now);

// The ticket after the event. The fold of all events over a newborn ticket is its row.
Ticket Apply(Ticket ticket, const Event& event);

// A newborn ticket, before its `created` event.
Ticket Unborn(TicketOrigin origin);

// The timers the ticket wants armed at this version: derived, never kept beside the state.
std::vector<Timer> TimersOf(const Ticket& ticket, const Facts& facts);

// Priority 1..4 from urgency and impact 1..3; "needed today" raises it by one step.
int PriorityOf(int urgency, int impact, bool needed_today);

}  // namespace potok::desk
