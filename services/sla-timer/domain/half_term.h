#pragma once

#include "absl/time/time.h"

#include "desk/ticket/ticket.h"
#include "sla-timer/domain/due_timers.h"

namespace potok::sla_timer {

// A reminder that half of the term is gone is no news to people who are told in the same breath
// that all of it is. Pure.
inline bool BreachIsDueToo(const DueTimer& timer, const desk::Ticket& ticket, absl::Time now) {
  return timer.key.kind == desk::TimerKind::kHalf && !ticket.breached_at && ticket.sla.due_at &&
         *ticket.sla.due_at <= now && ticket.sla.running_since && ticket.sla.gen == timer.gen;
}

}  // namespace potok::sla_timer
