// The clock of a ticket told from its events: what was promised, what is used up, and which
// stretches of time counted and why. Pure and thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"

#include "desk/calendar/calendar.h"
#include "desk/ticket/decide.h"
#include "desk/ticket/ticket.h"

namespace potok::sla_timer {

enum class ClockState { kNoTerm, kRunning, kPaused, kStopped };

// A timer of the clock's present generation.
struct ClockTimer {
  desk::Timer timer;
  std::optional<absl::Time> fired_at;  // Empty while it is armed.
};

struct ClockStory {
  desk::Ticket ticket;  // As it was.
  ClockState state = ClockState::kNoTerm;
  absl::Time start;  // Filing, or the last reopening: the beginning of the promise that is judged.
  absl::Duration consumed;
  std::optional<absl::Duration> remaining;
  // From `start` to `at`, and on to the due instant while the clock runs towards it; in order,
  // without gaps. A span is always cut at `at`, so the counted ones before the cut add up to
  // `consumed`. Beside the causes of a calendar: "paused" (names carry the question that was asked)
  // and "stopped".
  std::vector<desk::CountedSpan> spans;
  std::vector<ClockTimer> timers;
};

// Folds the events up to `at`. `ticket` brings what never changes (its origin); `events` are all of
// its events from the first one, oldest first; `at` is not before the first of them. `facts` name
// the flow version, policy and calendar of the ticket.
ClockStory TellClock(const desk::Ticket& ticket, const std::vector<desk::Event>& events,
                     const desk::Facts& facts, absl::Time at);

}  // namespace potok::sla_timer
