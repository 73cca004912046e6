#include "intake/rpc/convert_event.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "intake/rpc/convert_ticket.h"

namespace potok::intake {
namespace {

using desk::Event;
using desk::EventType;

enum Fact : unsigned {
  kAgent = 1,
  kFromAgent = 2,
  kHow = 4,
  kLine = 8,
  kPriority = 16,
  kScore = 32,
  kLevel = 64,
  kClosure = 128,
  kGen = 256,
  kDue = 512,
};

// Which facts an event of each type tells: the contract of TicketEvent.details.
unsigned FactsOf(EventType type) {
  switch (type) {
    case EventType::kCreated: return kPriority | kDue;
    case EventType::kAssigned: return kAgent | kHow;
    case EventType::kResumed: return kAgent | kDue;
    case EventType::kConfirmed:
    case EventType::kAutoClosed: return kClosure;
    case EventType::kResolved: return kClosure;
    case EventType::kSentBack: return kAgent | kDue;
    case EventType::kRated: return kScore | kClosure;
    case EventType::kReopened: return kClosure | kDue;
    case EventType::kDeclined: return kFromAgent;
    case EventType::kReturned: return kFromAgent | kHow;
    case EventType::kTransferred: return kFromAgent | kAgent;
    case EventType::kLineChanged: return kLine | kFromAgent;
    case EventType::kCommented: return kHow;
    case EventType::kDeadlineExtended: return kDue;
    case EventType::kPriorityChanged: return kPriority;
    case EventType::kHalfReminded:
    case EventType::kBreached:
    case EventType::kFirstResponseBreached: return kDue | kGen;
    case EventType::kEscalated: return kLevel | kHow | kLine | kGen;
    case EventType::kStarted:
    case EventType::kWaiting:
    case EventType::kCancelled: return 0;
  }
  return 0;
}

}  // namespace

v1::TicketEvent ToWire(const std::string& ticket_id, const Event& event) {
  v1::TicketEvent out;
  out.set_name(absl::StrCat("tickets/", ticket_id, "/events/", event.version));
  out.set_version(event.version);
  // Same order on both sides, one apart for TYPE_UNSPECIFIED; a test compares every name.
  out.set_type(static_cast<v1::TicketEvent::Type>(static_cast<int>(event.type) + 1));
  out.set_actor(event.actor);
  SetTimestamp(event.at, out.mutable_event_time());
  out.set_state_after(StateToWire(event.state_after));
  out.set_text(event.text);

  auto& details = *out.mutable_details();
  const unsigned facts = FactsOf(event.type);
  const auto words = [&](Fact fact, const char* key, const std::string& value) {
    if ((facts & fact) != 0 && !value.empty()) details[key] = value;
  };
  const auto number = [&](Fact fact, const char* key, int value) {
    if ((facts & fact) != 0 && value != 0) details[key] = absl::StrCat(value);
  };
  words(kAgent, "agent", EmployeeName(event.agent));
  words(kFromAgent, "from_agent", EmployeeName(event.from_agent));
  words(kHow, "how", event.how);
  number(kLine, "line", event.line);
  number(kPriority, "priority", event.priority);
  number(kScore, "score", event.score);
  number(kLevel, "level", event.level);
  number(kClosure, "closure_no", event.closure_no);
  number(kGen, "gen", event.gen);
  const std::optional<absl::Time> due = event.due_at ? event.due_at
                                        : event.sla  ? event.sla->due_at
                                                     : std::nullopt;
  if ((facts & kDue) != 0 && due) {
    details["due"] = absl::FormatTime(absl::RFC3339_full, *due, absl::UTCTimeZone());
  }
  return out;
}

bool MaySee(const Event& event, const desk::Relation& relation) {
  if (!relation.sees) return false;
  return event.type != EventType::kCommented || event.how != "internal" || relation.sees_internal;
}

}  // namespace potok::intake
