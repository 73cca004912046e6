#include "replay_move.h"

namespace potok::ctl {

using intake::v1::Ticket;
using intake::v1::TicketEvent;
using Kind = RecordedStep::Kind;

namespace {

bool Did(TicketEvent::Type type, Kind kind) {
  switch (kind) {
    case Kind::kStart: return type == TicketEvent::TYPE_STARTED;
    case Kind::kWait: return type == TicketEvent::TYPE_WAITING;
    case Kind::kResume: return type == TicketEvent::TYPE_RESUMED;
    case Kind::kResolve: return type == TicketEvent::TYPE_RESOLVED;
    case Kind::kClose:
      return type == TicketEvent::TYPE_CONFIRMED || type == TicketEvent::TYPE_AUTO_CLOSED;
    case Kind::kSendBack:
      return type == TicketEvent::TYPE_SENT_BACK || type == TicketEvent::TYPE_REOPENED;
    case Kind::kCancel: return type == TicketEvent::TYPE_CANCELLED;
  }
  return false;
}

}  // namespace

ReplayMove NextMove(Ticket::State state, Kind step) {
  const bool queued = state == Ticket::STATE_QUEUED, assigned = state == Ticket::STATE_ASSIGNED;
  const bool working = state == Ticket::STATE_IN_PROGRESS, waiting = state == Ticket::STATE_WAITING;
  const bool resolved = state == Ticket::STATE_RESOLVED, closed = state == Ticket::STATE_CLOSED;
  switch (step) {
    case Kind::kStart:
    case Kind::kResume:
      if (queued) return ReplayMove::kHolder;
      if (assigned) return ReplayMove::kStart;
      if (waiting) return ReplayMove::kResume;
      return working ? ReplayMove::kNone : ReplayMove::kImpossible;
    case Kind::kWait:
      if (queued) return ReplayMove::kHolder;
      if (assigned || working) return ReplayMove::kWait;
      return waiting ? ReplayMove::kNone : ReplayMove::kImpossible;
    case Kind::kResolve:
      if (queued) return ReplayMove::kHolder;
      if (assigned) return ReplayMove::kStart;
      if (waiting) return ReplayMove::kResume;
      if (working) return ReplayMove::kResolve;
      return resolved || closed ? ReplayMove::kNone : ReplayMove::kImpossible;
    case Kind::kClose:
      if (resolved) return ReplayMove::kConfirm;
      return closed ? ReplayMove::kNone : ReplayMove::kImpossible;
    case Kind::kSendBack:
      if (resolved) return ReplayMove::kSendBack;
      if (closed) return ReplayMove::kReopen;
      return queued || assigned || working || waiting ? ReplayMove::kNone : ReplayMove::kImpossible;
    case Kind::kCancel:
      if (resolved) return ReplayMove::kConfirm;
      if (queued || assigned || working || waiting) return ReplayMove::kCancel;
      return ReplayMove::kNone;
  }
  return ReplayMove::kImpossible;
}

const char* NameOf(ReplayMove move) {
  switch (move) {
    case ReplayMove::kNone: return "nothing";
    case ReplayMove::kHolder: return "get a holder";
    case ReplayMove::kImpossible: return "no way";
    case ReplayMove::kStart: return "start";
    case ReplayMove::kWait: return "wait";
    case ReplayMove::kResume: return "resume";
    case ReplayMove::kResolve: return "resolve";
    case ReplayMove::kConfirm: return "confirm";
    case ReplayMove::kSendBack: return "send back";
    case ReplayMove::kReopen: return "reopen";
    case ReplayMove::kCancel: return "cancel";
  }
  return "";
}

size_t StepsDone(const RecordedCase& c, const std::vector<TicketEvent>& events) {
  size_t done = 0;
  for (const TicketEvent& event : events) {
    for (size_t i = done; i < c.steps.size(); ++i) {
      if (Did(event.type(), c.steps[i].kind)) {
        done = i + 1;
        break;
      }
      // Work that went on by itself left no trace of its own: a result sent back is in work at
      // once, a waiting one that is resolved has been resumed on the way.
      if (c.steps[i].kind != Kind::kStart && c.steps[i].kind != Kind::kResume) break;
    }
  }
  return done;
}

}  // namespace potok::ctl
