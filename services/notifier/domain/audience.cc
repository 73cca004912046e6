#include "notifier/domain/audience.h"

#include <algorithm>

#include "absl/strings/strip.h"

namespace potok::notifier {
namespace {

using desk::Event;
using desk::EventType;
using desk::State;
using desk::Ticket;

// The lowest rating that does not go to the manager.
constexpr int kFineRating = 3;

// Collects the recipients of one event.
class Invitation {
 public:
  Invitation(const Event& event, const Surroundings& around) : around_(around) {
    absl::string_view actor = event.actor;
    if (absl::ConsumePrefix(&actor, "users/")) actor_ = std::string(actor);
  }

  bool ByActor(const std::string& employee) const {
    return !employee.empty() && employee == actor_;
  }

  void Tell(const char* rule, const std::string& employee) {
    if (!ByActor(employee)) TellAlsoActor(rule, employee);
  }
  void TellAlsoActor(const char* rule, const std::string& employee) {
    const Rule* found = FindRule(rule);
    Add(*found, found->role, employee);
  }
  void TellManagers(const char* rule) {
    for (const std::string& manager : around_.managers) {
      if (!ByActor(manager)) Add(*FindRule(rule), around_.managers_role, manager);
    }
  }

  std::vector<Notice> Take() { return std::move(notices_); }

 private:
  void Add(const Rule& rule, Role role, const std::string& employee) {
    if (employee.empty()) return;
    const bool told = std::any_of(notices_.begin(), notices_.end(), [&](const Notice& notice) {
      return notice.recipient == employee;
    });
    if (!told) notices_.push_back({employee, role, &rule});
  }

  const Surroundings& around_;
  std::string actor_;
  std::vector<Notice> notices_;
};

bool EverybodyDeclined(const Ticket& ticket, const Surroundings& around) {
  return !around.line.empty() &&
         std::all_of(around.line.begin(), around.line.end(), [&](const std::string& agent) {
           return std::find(ticket.excluded.begin(), ticket.excluded.end(), agent) !=
                  ticket.excluded.end();
         });
}

void Comment(const Ticket& after, const Event& event, Invitation& invitation) {
  // With nobody holding it, the last holder is who the words are for.
  const std::string& holder = after.assignee.empty() ? after.sticky_agent : after.assignee;
  if (event.how == "internal") {
    invitation.Tell("noted_assignee", holder);
    return;
  }
  invitation.Tell("commented_assignee", holder);
  invitation.Tell("commented_requester", after.requester);
}

}  // namespace

std::vector<Notice> AudienceOf(const Ticket& after, const Event& event,
                               const Surroundings& around) {
  Invitation invitation(event, around);
  switch (event.type) {
    case EventType::kCreated: invitation.TellAlsoActor("created_requester", after.requester); break;
    case EventType::kAssigned:
      invitation.Tell("assigned_assignee", event.agent);
      invitation.Tell("assigned_requester", after.requester);
      break;
    case EventType::kStarted: break;  // The requester knows who works on it since the assignment.
    case EventType::kWaiting: invitation.Tell("waiting_requester", after.requester); break;
    case EventType::kResumed: invitation.Tell("resumed_assignee", after.assignee); break;
    case EventType::kResolved:
      invitation.Tell(
          event.state_after == State::kClosed ? "finished_requester" : "resolved_requester",
          after.requester);
      break;
    case EventType::kConfirmed:
      invitation.Tell("confirmed_former_assignee", after.sticky_agent);
      break;
    case EventType::kAutoClosed:
      invitation.Tell("auto_closed_requester", after.requester);
      invitation.Tell("auto_closed_former_assignee", after.sticky_agent);
      break;
    case EventType::kSentBack: invitation.Tell("sent_back_assignee", after.assignee); break;
    case EventType::kRated:
      if (event.score < kFineRating) invitation.TellManagers("rated_low_responsible");
      invitation.Tell("rated_former_assignee", after.sticky_agent);
      break;
    case EventType::kCancelled:
      invitation.Tell("cancelled_former_assignee", event.from_agent);
      invitation.Tell("cancelled_requester", after.requester);
      break;
    case EventType::kReopened:
      invitation.Tell("reopened_former_assignee", after.sticky_agent);
      invitation.Tell("reopened_requester", after.requester);
      break;
    case EventType::kDeclined:
      if (EverybodyDeclined(after, around)) invitation.TellManagers("all_declined_responsible");
      break;
    case EventType::kReturned: break;  // The next holder hears of it, and the queue shows it.
    case EventType::kTransferred:
      invitation.Tell("transferred_assignee", event.agent);
      invitation.Tell("transferred_former_assignee", event.from_agent);
      invitation.Tell("transferred_requester", after.requester);
      break;
    case EventType::kLineChanged:
      invitation.Tell("line_changed_former_assignee", event.from_agent);
      break;
    case EventType::kCommented: Comment(after, event, invitation); break;
    case EventType::kDeadlineExtended:
      invitation.Tell("deadline_extended_assignee", after.assignee);
      invitation.Tell("deadline_extended_requester", after.requester);
      break;
    case EventType::kPriorityChanged:
      invitation.Tell("priority_changed_assignee", after.assignee);
      break;
    case EventType::kHalfReminded:
      if (after.assignee.empty()) {
        invitation.TellManagers("half_term_responsible");
      } else {
        invitation.Tell("half_term_assignee", after.assignee);
      }
      break;
    case EventType::kBreached:
      invitation.TellManagers("breached_responsible");
      invitation.Tell("breached_assignee", after.assignee);
      invitation.Tell("breached_requester", after.requester);
      break;
    case EventType::kFirstResponseBreached:
      invitation.TellManagers("first_response_responsible");
      invitation.Tell("first_response_assignee", after.assignee);
      break;
    case EventType::kEscalated:
      invitation.TellManagers("escalated_responsible");
      invitation.Tell("escalated_assignee", after.assignee);
      break;
  }
  return invitation.Take();
}

bool StillWanted(Kind kind, Role role, const std::string& recipient, const TicketNow& now) {
  switch (kind) {
    case Kind::kHalfTerm:
      if (!desk::IsOpen(now.state) || now.breached) return false;
      return role == Role::kAssignee ? now.assignee == recipient : now.assignee.empty();
    case Kind::kAllDeclined: return now.state == State::kQueued;
    case Kind::kEscalation: return desk::IsOpen(now.state);
    default: return true;
  }
}

}  // namespace potok::notifier
