#include "desk/ticket/state.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace potok::desk {
namespace {

using E = EventType;
using S = State;

constexpr Move kMoves[] = {
    {E::kCreated, std::nullopt, S::kQueued, "requester", "number, promise, timers armed"},
    {E::kAssigned, S::kQueued, S::kAssigned, "router, flow admin, self-pick", "slot +1"},
    {E::kStarted, S::kAssigned, S::kInProgress, "holder", "first-response stamp"},
    {E::kDeclined, S::kAssigned, S::kQueued, "holder", "slot -1, holder excluded"},
    {E::kDeclined, S::kInProgress, S::kQueued, "holder", "slot -1, holder excluded"},
    {E::kReturned, S::kAssigned, S::kQueued, "holder, flow admin, leave", "slot -1"},
    {E::kReturned, S::kInProgress, S::kQueued, "holder, flow admin, leave", "slot -1"},
    {E::kLineChanged, S::kAssigned, S::kQueued, "holder, flow admin, escalation", "slot -1, line"},
    {E::kLineChanged, S::kInProgress, S::kQueued, "holder, flow admin, escalation",
     "slot -1, line"},
    {E::kTransferred, S::kInProgress, S::kAssigned, "holder, flow admin", "slot -1/+1"},
    {E::kTransferred, S::kWaiting, S::kAssigned, "holder, flow admin", "slot -1/+1, clock resumes"},
    {E::kWaiting, S::kAssigned, S::kWaiting, "holder", "clock paused, slot kept"},
    {E::kWaiting, S::kInProgress, S::kWaiting, "holder", "clock paused, slot kept"},
    {E::kResumed, S::kWaiting, S::kInProgress, "requester's reply, holder", "clock resumes"},
    {E::kResumed, S::kWaiting, S::kQueued, "requester's reply after the holder left",
     "slot -1, clock resumes"},
    {E::kResolved, S::kInProgress, S::kResolved, "holder",
     "slot -1, clock stops, auto-close armed"},
    {E::kResolved, S::kInProgress, S::kClosed, "holder, flow without review",
     "slot -1, clock stops"},
    {E::kConfirmed, S::kResolved, S::kClosed, "requester", "may be rated"},
    {E::kAutoClosed, S::kResolved, S::kClosed, "timer", "may be rated"},
    {E::kSentBack, S::kResolved, S::kInProgress, "requester", "slot +1, remaining term"},
    {E::kSentBack, S::kResolved, S::kQueued, "requester, former holder full",
     "front of the queue, former holder first"},
    {E::kReopened, S::kClosed, S::kQueued, "requester within the window", "new closure, new term"},
    {E::kCancelled, S::kPendingApproval, S::kCancelled, "requester, flow admin",
     "timers cancelled"},
    {E::kCancelled, S::kQueued, S::kCancelled, "requester, flow admin", "timers cancelled"},
    {E::kCancelled, S::kAssigned, S::kCancelled, "requester, flow admin",
     "slot -1, timers cancelled"},
    {E::kCancelled, S::kInProgress, S::kCancelled, "requester, flow admin",
     "slot -1, timers cancelled"},
    {E::kCancelled, S::kWaiting, S::kCancelled, "requester, flow admin",
     "slot -1, timers cancelled"},
};

constexpr S kUnfinished[] = {S::kQueued, S::kAssigned, S::kInProgress, S::kWaiting};
constexpr S kRunning[] = {S::kQueued, S::kAssigned, S::kInProgress};
constexpr S kCommentable[] = {S::kPendingApproval, S::kQueued,   S::kAssigned, S::kInProgress,
                              S::kWaiting,         S::kResolved, S::kClosed};
constexpr S kOnlyClosed[] = {S::kClosed};
constexpr S kOnlyAssigned[] = {S::kAssigned};
constexpr S kOnlyQueued[] = {S::kQueued};

}  // namespace

absl::string_view Name(State state) {
  switch (state) {
    case S::kPendingApproval: return "PENDING_APPROVAL";
    case S::kQueued: return "QUEUED";
    case S::kAssigned: return "ASSIGNED";
    case S::kInProgress: return "IN_PROGRESS";
    case S::kWaiting: return "WAITING";
    case S::kResolved: return "RESOLVED";
    case S::kClosed: return "CLOSED";
    case S::kArchived: return "ARCHIVED";
    case S::kCancelled: return "CANCELLED";
  }
  return "";
}

absl::string_view Name(EventType type) {
  switch (type) {
    case E::kCreated: return "created";
    case E::kAssigned: return "assigned";
    case E::kStarted: return "started";
    case E::kWaiting: return "waiting";
    case E::kResumed: return "resumed";
    case E::kResolved: return "resolved";
    case E::kConfirmed: return "confirmed";
    case E::kAutoClosed: return "auto_closed";
    case E::kSentBack: return "sent_back";
    case E::kRated: return "rated";
    case E::kCancelled: return "cancelled";
    case E::kReopened: return "reopened";
    case E::kDeclined: return "declined";
    case E::kReturned: return "returned";
    case E::kTransferred: return "transferred";
    case E::kLineChanged: return "line_changed";
    case E::kCommented: return "commented";
    case E::kDeadlineExtended: return "deadline_extended";
    case E::kPriorityChanged: return "priority_changed";
    case E::kHalfReminded: return "half_reminded";
    case E::kBreached: return "breached";
    case E::kFirstResponseBreached: return "first_response_breached";
    case E::kEscalated: return "escalated";
  }
  return "";
}

std::optional<State> ParseState(absl::string_view name) {
  for (const State state : kAllStates) {
    if (Name(state) == name) return state;
  }
  return std::nullopt;
}

std::optional<EventType> ParseEventType(absl::string_view name) {
  for (const EventType type : kAllEventTypes) {
    if (Name(type) == name) return type;
  }
  return std::nullopt;
}

absl::Span<const Move> Moves() { return kMoves; }

absl::Span<const State> StaysIn(EventType type) {
  switch (type) {
    case E::kCommented: return kCommentable;
    case E::kRated: return kOnlyClosed;
    case E::kTransferred: return kOnlyAssigned;  // From one holder who has not started to another.
    case E::kLineChanged: return kOnlyQueued;
    case E::kDeadlineExtended: return kUnfinished;
    case E::kPriorityChanged: return kUnfinished;
    case E::kHalfReminded: return kRunning;
    case E::kBreached: return kRunning;
    case E::kFirstResponseBreached: return kRunning;
    case E::kEscalated: return kRunning;
    default: return {};
  }
}

bool IsLegal(EventType type, std::optional<State> from, State to) {
  if (from && *from == to) {
    const absl::Span<const State> stays = StaysIn(type);
    return std::find(stays.begin(), stays.end(), to) != stays.end();
  }
  return std::any_of(std::begin(kMoves), std::end(kMoves), [&](const Move& move) {
    return move.event == type && move.from == from && move.to == to;
  });
}

bool MayHappen(EventType type, State from) {
  const absl::Span<const State> stays = StaysIn(type);
  if (std::find(stays.begin(), stays.end(), from) != stays.end()) return true;
  return std::any_of(std::begin(kMoves), std::end(kMoves),
                     [&](const Move& move) { return move.event == type && move.from == from; });
}

bool IsHeld(State state) {
  return state == S::kAssigned || state == S::kInProgress || state == S::kWaiting;
}

bool IsOpen(State state) {
  return state == S::kPendingApproval || state == S::kQueued || IsHeld(state);
}

bool IsFinal(State state) {
  return state == S::kClosed || state == S::kArchived || state == S::kCancelled;
}

std::string MermaidPicture() {
  std::string out = "stateDiagram-v2\n";
  std::set<std::string>
      lines;  // Several events may share an arrow; each is one line, in a stable order.
  for (const Move& move : kMoves) {
    lines.insert(absl::StrCat("  ", move.from ? std::string(Name(*move.from)) : "[*]", " --> ",
                              std::string(Name(move.to)), " : ", std::string(Name(move.event)),
                              "\n"));
  }
  for (const std::string& line : lines) out += line;
  return out;
}

std::vector<std::pair<std::string, std::string>> LegalPairs() {
  std::set<std::pair<std::string, std::string>> pairs;
  for (const Move& move : kMoves) {
    if (move.from) pairs.emplace(Name(*move.from), Name(move.to));
  }
  return {pairs.begin(), pairs.end()};
}

}  // namespace potok::desk
