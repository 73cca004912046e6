// The state machine of a ticket: one table, from which the legality check, the picture in
// ARCHITECTURE.md, the rows of ledger.legal_move and the test over all pairs are made. Source:
// design section 2.6.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace potok::desk {

enum class State {
  kPendingApproval,
  kQueued,
  kAssigned,
  kInProgress,
  kWaiting,
  kResolved,
  kClosed,
  kArchived,
  kCancelled,
};
inline constexpr State kAllStates[] = {
    State::kPendingApproval, State::kQueued, State::kAssigned, State::kInProgress, State::kWaiting,
    State::kResolved,        State::kClosed, State::kArchived, State::kCancelled};

enum class EventType {
  kCreated,
  kAssigned,
  kStarted,
  kWaiting,
  kResumed,
  kResolved,
  kConfirmed,
  kAutoClosed,
  kSentBack,
  kRated,
  kCancelled,
  kReopened,
  kDeclined,
  kReturned,
  kTransferred,
  kLineChanged,
  kCommented,
  kDeadlineExtended,
  kPriorityChanged,
  kHalfReminded,
  kBreached,
  kFirstResponseBreached,
  kEscalated,
};
inline constexpr EventType kAllEventTypes[] = {
    EventType::kCreated,         EventType::kAssigned,
    EventType::kStarted,         EventType::kWaiting,
    EventType::kResumed,         EventType::kResolved,
    EventType::kConfirmed,       EventType::kAutoClosed,
    EventType::kSentBack,        EventType::kRated,
    EventType::kCancelled,       EventType::kReopened,
    EventType::kDeclined,        EventType::kReturned,
    EventType::kTransferred,     EventType::kLineChanged,
    EventType::kCommented,       EventType::kDeadlineExtended,
    EventType::kPriorityChanged, EventType::kHalfReminded,
    EventType::kBreached,        EventType::kFirstResponseBreached,
    EventType::kEscalated};

// Wire and column names: "IN_PROGRESS", "sent_back".
absl::string_view Name(State state);
absl::string_view Name(EventType type);
std::optional<State> ParseState(absl::string_view name);
std::optional<EventType> ParseEventType(absl::string_view name);

// One row of the table. `from` is empty for the birth of a ticket.
struct Move {
  EventType event;
  std::optional<State> from;
  State to;
  absl::string_view by;
  absl::string_view effects;
};

// Every move that changes the state. All other pairs are refused.
absl::Span<const Move> Moves();

// States in which an event that keeps the state may be appended; empty for events that always move.
absl::Span<const State> StaysIn(EventType type);

// Whether `type` may take a ticket from `from` (nullopt = unborn) to `to`.
bool IsLegal(EventType type, std::optional<State> from, State to);

// Whether `type` may happen in `from` at all.
bool MayHappen(EventType type, State from);

// Someone holds the ticket and it takes a slot. WAITING keeps its slot, so a resume cannot overflow
// a cap.
bool IsHeld(State state);
// Not yet finished: neither RESOLVED nor one of the end states.
bool IsOpen(State state);
bool IsFinal(State state);

// The state machine as a mermaid state diagram, for ARCHITECTURE.md.
std::string MermaidPicture();
// Rows (from, to) of every legal change of state, sorted and unique: the content of
// ledger.legal_move.
std::vector<std::pair<std::string, std::string>> LegalPairs();

}  // namespace potok::desk
