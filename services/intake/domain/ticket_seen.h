// A ticket as a reader gets it: its row, and why it is still queued when it is.
#pragma once

#include "desk/routing/plan.h"
#include "desk/ticket/ticket.h"

namespace potok::intake {

struct TicketSeen {
  desk::Ticket ticket;
  // Meaningful for a QUEUED ticket. READY also when the router has not looked yet.
  desk::QueueReason reason = desk::QueueReason::kReady;
};

}  // namespace potok::intake
