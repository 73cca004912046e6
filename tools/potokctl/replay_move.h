// Which call brings a ticket nearer to what was recorded, and how near it is. Pure.
#pragma once

#include <vector>

#include "potok/intake/v1/ticket.pb.h"
#include "recorded_log.h"

namespace potok::ctl {

enum class ReplayMove {
  kNone,        // It is there already.
  kHolder,      // Somebody has to get it first.
  kImpossible,  // No way leads there.
  kStart,
  kWait,
  kResume,
  kResolve,
  kConfirm,
  kSendBack,
  kReopen,
  kCancel,
};

// The next call on the way from `state` to the recorded step; a step may take several (start, then
// resolve).
ReplayMove NextMove(intake::v1::Ticket::State state, RecordedStep::Kind step);
const char* NameOf(ReplayMove move);

// How many of the recorded steps the ticket's history already contains.
size_t StepsDone(const RecordedCase& c, const std::vector<intake::v1::TicketEvent>& events);

}  // namespace potok::ctl
