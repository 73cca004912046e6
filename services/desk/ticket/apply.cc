#include <utility>

#include "desk/ticket/decide.h"

namespace potok::desk {
namespace {

void Enqueue(Ticket& ticket, const Event& event) {
  if (!ticket.assignee.empty()) ticket.sticky_agent = ticket.assignee;
  ticket.assignee.clear();
  ticket.queued_at = event.at;
  ticket.queue_front = event.front;
  // The first queueing gives the order for good: a returned ticket does not lose its turn.
  if (ticket.queued_seq == 0) ticket.queued_seq = absl::ToUnixMicros(event.at);
}

void Close(Ticket& ticket, const Event& event) {
  ticket.closed_at = event.at;
  ticket.closure_no = event.closure_no;
  ticket.autoclose_at.reset();
}

void GiveTo(Ticket& ticket, const std::string& agent) {
  if (!ticket.sticky_agent.empty() || !ticket.assignee.empty()) ++ticket.hops;
  ticket.assignee = agent;
  ticket.sticky_agent.clear();
}

}  // namespace

Ticket Unborn(TicketOrigin origin) {
  Ticket ticket;
  static_cast<TicketOrigin&>(ticket) = std::move(origin);
  return ticket;
}

Ticket Apply(Ticket ticket, const Event& event) {
  const State before = ticket.state;
  ticket.version = event.version;
  ticket.state = event.state_after;
  ticket.updated_at = event.at;
  if (event.sla) ticket.sla = *event.sla;
  if (event.state_after == State::kQueued && (before != State::kQueued || event.version == 1)) {
    Enqueue(ticket, event);
  } else if (event.state_after != State::kQueued) {
    ticket.queued_at.reset();
    ticket.queue_front = false;
  }
  switch (event.type) {
    case EventType::kCreated:
      ticket.priority = event.priority;
      ticket.first_response_due = event.first_response_due;
      break;
    case EventType::kAssigned:
    case EventType::kTransferred: GiveTo(ticket, event.agent); break;
    case EventType::kStarted:
      if (!ticket.first_response_at) ticket.first_response_at = event.at;
      break;
    case EventType::kWaiting:
      // Asking the requester is a response too.
      if (!ticket.first_response_at) ticket.first_response_at = event.at;
      break;
    case EventType::kResumed: break;
    case EventType::kResolved:
      ticket.sticky_agent = ticket.assignee;
      ticket.assignee.clear();
      ticket.result = event.text;
      ticket.resolved_at = event.at;
      ticket.autoclose_at = event.autoclose_at;
      if (event.state_after == State::kClosed) Close(ticket, event);
      break;
    case EventType::kConfirmed:
    case EventType::kAutoClosed: Close(ticket, event); break;
    case EventType::kSentBack:
      ++ticket.return_count;
      ticket.resolved_at.reset();
      ticket.autoclose_at.reset();
      if (event.state_after == State::kInProgress) {
        ticket.assignee = event.agent;
        ticket.sticky_agent.clear();
      }
      break;
    case EventType::kRated:
      ticket.rating = event.score;
      ticket.rating_comment = event.text;
      ticket.rated_closure = event.closure_no;
      break;
    case EventType::kCancelled:
      ticket.assignee.clear();
      ticket.closed_at = event.at;
      ticket.resolved_at.reset();
      ticket.autoclose_at.reset();
      break;
    case EventType::kReopened:
      ++ticket.reopen_count;
      ticket.closed_at.reset();
      ticket.resolved_at.reset();
      ticket.half_reminded = false;
      ticket.breached_at.reset();
      ticket.escalation_level = 0;
      ticket.pending_line = 0;  // Asked for under the promise of the last round.
      ticket.excluded.clear();
      break;
    case EventType::kDeclined:
      ticket.excluded.push_back(event.from_agent);
      ticket.sticky_agent.clear();  // Who declined is not the one to come back to.
      break;
    case EventType::kReturned: break;
    case EventType::kLineChanged:
      if (before == State::kQueued) ticket.queue_front = event.front;  // It was in a queue already.
      ticket.line = event.line;
      ticket.pending_line = 0;
      ticket.sticky_agent.clear();
      ticket.excluded.clear();
      ++ticket.hops;
      break;
    case EventType::kCommented:
      ++ticket.comment_count;
      if (!event.agent.empty() && !ticket.first_response_at) ticket.first_response_at = event.at;
      break;
    case EventType::kDeadlineExtended:
      ticket.breached_at.reset();
      ticket.half_reminded = false;
      ticket.escalation_level = 0;
      ticket.pending_line = 0;  // The promise it was asked for is replaced by a new one.
      break;
    case EventType::kPriorityChanged: ticket.priority = event.priority; break;
    case EventType::kHalfReminded: ticket.half_reminded = true; break;
    case EventType::kBreached: ticket.breached_at = event.due_at; break;
    case EventType::kFirstResponseBreached: ticket.first_response_breached = true; break;
    case EventType::kEscalated:
      ticket.escalation_level = event.level;
      if (event.line > 0) ticket.pending_line = event.line;
      break;
  }
  return ticket;
}

}  // namespace potok::desk
