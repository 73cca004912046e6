// The ticket and the event as the business sees them. Plain data: no I/O, no wire types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "desk/sla/clock.h"
#include "desk/ticket/state.h"

namespace potok::desk {

// Kinds of durable timers; `Name` gives the column value.
enum class TimerKind { kHalf, kBreach, kFirstResponse, kAutoClose, kEscalate };
inline constexpr TimerKind kAllTimerKinds[] = {TimerKind::kHalf, TimerKind::kBreach,
                                               TimerKind::kFirstResponse, TimerKind::kAutoClose,
                                               TimerKind::kEscalate};
absl::string_view Name(TimerKind kind);
std::optional<TimerKind> ParseTimerKind(absl::string_view name);

// What a ticket is born with and keeps for life.
struct TicketOrigin {
  std::string id;  // UUIDv7 that carries its part (desk/ids.h).
  int part = 0;
  std::string number;  // "IT-000123".
  std::string flow_id;
  int flow_version = 1;
  std::string caller;      // Principal that filed it.
  std::string request_id;  // UUID, the idempotency key together with the caller.
  std::string requester;   // Employee id.
  std::string department;  // Of the requester when it was filed.
  std::string channel = "portal";
  std::string title;
  std::string description;
  std::string fields_json = "{}";  // Checked answers of the form, as canonical JSON.
  int urgency = 2;                 // 1 high .. 3 low.
  int impact = 2;                  // 1 high .. 3 low.
  bool needed_today = false;
  std::string needed_today_reason;
  absl::Time created_at;
};

// A ticket at one version: its origin and what its events made of it.
struct Ticket : TicketOrigin {
  int64_t version = 0;
  State state = State::kQueued;
  std::string assignee;      // Set exactly while IsHeld(state).
  std::string sticky_agent;  // Former holder, preferred when it returns to the queue.
  int line = 1;              // Support tier 1..3.
  int pending_line = 0;  // Line an escalation asked for and the router has not made yet; 0 = none.
  int priority = 3;      // 1 critical .. 4 low.
  std::optional<absl::Time> queued_at;  // Set exactly while QUEUED.
  int64_t queued_seq =
      0;  // Order among equals: microseconds of the first queueing, kept on return.
  bool queue_front = false;  // Returned through no fault of the ticket: ahead of the others.
  std::vector<std::string> excluded;  // Agents who declined it.
  SlaClock sla;
  bool half_reminded = false;
  std::optional<absl::Time> breached_at;  // Due instant of the breach of this closure.
  int escalation_level = 0;
  std::optional<absl::Time> first_response_due;
  std::optional<absl::Time> first_response_at;
  bool first_response_breached = false;
  std::optional<absl::Time> resolved_at;
  std::optional<absl::Time> autoclose_at;
  std::optional<absl::Time> closed_at;
  int closure_no = 0;     // Times it was closed.
  int rated_closure = 0;  // closure_no of the last rating.
  std::optional<int> rating;
  std::string rating_comment;
  std::string result;
  int return_count = 0;  // Times the requester sent it back.
  int reopen_count = 0;
  int hops = 0;  // Changes of holder or line after the first assignment.
  int comment_count = 0;
  absl::Time updated_at;
};

// One past fact about a ticket. Which fields matter follows from `type`; the others keep their
// defaults and are not stored. Every event raises the version by exactly one.
struct Event {
  EventType type = EventType::kCreated;
  int64_t version = 0;
  std::string actor;  // Principal, or "system".
  absl::Time at;      // Business time.
  State state_after = State::kQueued;
  std::string
      text;  // Words people wrote: comment, question, result, reason. Stored apart from the facts.

  std::string agent;       // assigned, transferred, sent_back, resumed: who holds it now.
  std::string from_agent;  // Who held it before.
  std::string how;         // assigned: round_robin | least_loaded | manual | self_pick | rules.
                           // returned: holder | leave. escalated: tell_manager | next_line.
                           // commented: public | internal.
  int line = 0;            // line_changed, escalated.
  int priority = 0;        // created, priority_changed.
  int score = 0;           // rated.
  int level = 0;           // escalated.
  int closure_no = 0;      // rated, confirmed, auto_closed, resolved, reopened.
  bool front = false;      // Goes to the front of the queue.
  std::optional<SlaClock> sla;  // The clock after the event, when the event changed it.
  std::optional<absl::Time> first_response_due;
  std::optional<absl::Time> autoclose_at;
  std::optional<TimerKind> timer;  // Timer events: which one, of which generation, due when.
  int gen = 0;
  std::optional<absl::Time> due_at;
};

// A timer the ticket wants armed.
struct Timer {
  TimerKind kind;
  int gen;
  absl::Time due_at;
  friend bool operator==(const Timer& a, const Timer& b) {
    return a.kind == b.kind && a.gen == b.gen && a.due_at == b.due_at;
  }
};

}  // namespace potok::desk
