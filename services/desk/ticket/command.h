// What people and loops ask of a ticket. A command becomes exactly one event or is refused.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "desk/access/visibility.h"
#include "desk/ticket/ticket.h"

namespace potok::desk {

// The draft's version, number, id and part are given by the ledger; the promise is worked out by
// Decide.
struct CreateTicket {
  TicketOrigin draft;
};
struct AssignTicket {
  std::string agent;
  std::string how;     // round_robin | least_loaded | manual | self_pick | rules
  std::string reason;  // Why this agent; of a person who assigns by hand.
};
struct StartTicket {};
struct WaitTicket {
  std::string question;
};
struct ResumeTicket {
  std::string text;
  bool holder_left = false;  // The holder is on leave or gone: back to the queue.
};
struct ResolveTicket {
  std::string result;
};
struct ConfirmTicket {};
struct SendBackTicket {
  std::string reason;
};
struct RateTicket {
  int score = 0;
  std::string comment;
};
struct CancelTicket {
  std::string reason;
};
struct ReopenTicket {
  std::string reason;
};
struct DeclineTicket {
  std::string reason;
};
struct ReturnTicket {
  std::string reason;
  bool leave = false;  // The holder became unavailable: to the front, nobody is excluded.
};
struct TransferTicket {
  std::string agent;
  std::string reason;
};
struct ChangeLine {
  int line = 0;  // 0 = the next one, or the pending one when an escalation asked for it.
  std::string reason;
};
struct AddComment {
  std::string text;
  bool internal = false;
};
struct ExtendDeadline {
  absl::Time due;
  std::string reason;
};
struct ChangePriority {
  int priority = 0;
  std::string reason;
};
struct FireTimer {
  TimerKind kind;
  int gen = 0;
};

using Action = std::variant<CreateTicket, AssignTicket, StartTicket, WaitTicket, ResumeTicket,
                            ResolveTicket, ConfirmTicket, SendBackTicket, RateTicket, CancelTicket,
                            ReopenTicket, DeclineTicket, ReturnTicket, TransferTicket, ChangeLine,
                            AddComment, ExtendDeadline, ChangePriority, FireTimer>;

struct Command {
  std::string ticket_id;  // Empty for CreateTicket.
  Viewer viewer;
  std::string method;      // RPC name; with the caller and request_id the idempotency key.
  std::string request_id;  // UUID; empty for loops, whose repeat is refused by the state itself.
  std::string body_hash;   // SHA-256 over the request's meaning, hex.
  std::optional<int64_t> expected_version;  // From the etag.
  // What the front found wrong by what it knows now. A request that was answered before gets its
  // first answer all the same; any other gets this, and nothing is changed.
  absl::Status refusal;
  Action action;
};

}  // namespace potok::desk
