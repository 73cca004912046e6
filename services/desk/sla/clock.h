// The clock of a promise: how much working time a ticket has used, and when the promise is due.
//
// A clock is a fold of the ticket's events: each function takes the clock and the event's instant
// and returns the next clock. Nothing here ever subtracts two wall times; elapsed time is what the
// calendar counts between them. Pure and thread-safe; `now` must not go back from call to call, and
// if it does (a failover to a slower database clock) the stretch counts as nothing rather than as
// negative.
#pragma once

#include <optional>

#include "absl/time/time.h"

#include "desk/calendar/calendar.h"

namespace potok::desk {

// Three states: running (`running_since` is set), paused, and stopped; the last two differ only in
// what they leave in `due_at`. A default clock is one that was never started.
struct SlaClock {
  std::optional<absl::Duration>
      term;                 // Promised working time; without it the clock counts but is never due.
  absl::Duration consumed;  // Working time used before `running_since`.
  std::optional<absl::Time> running_since;
  // When the promise is broken, inclusive. Set while running; while paused only if it has already
  // passed, since a pause cannot mend a broken promise; after a stop, what it was when work ended.
  std::optional<absl::Time> due_at;
  std::optional<absl::Time>
      half_at;  // When half the term is used; only while running and still ahead.
  // Each change of `due_at` other than by a pause is a new generation, so that a timer armed by an
  // older one can tell that it is stale.
  int gen = 0;

  friend bool operator==(const SlaClock&, const SlaClock&) = default;
};

// A fresh clock of generation 0 that runs from `now`.
SlaClock StartClock(const Calendar& calendar, absl::Time now, std::optional<absl::Duration> term);

// Keeps what is consumed and waits. A clock that does not run is returned as it is.
SlaClock PauseClock(const Calendar& calendar, SlaClock clock, absl::Time now);

// Runs on from what was consumed, also after a stop (a reopened ticket); gen + 1. A running clock
// is returned as it is. A due time that has passed stays what it was: with `due_at < now` the
// promise was broken under an earlier generation, and a breach already recorded is not to be
// recorded again.
SlaClock ResumeClock(const Calendar& calendar, SlaClock clock, absl::Time now);

// Gives a new term (other priority, policy or agreed date) and keeps elapsed time; gen + 1. A new
// term that is already used up is due at `now`, not in the past: a promise cannot be broken before
// it was made, and lateness of a fire must not count time in which nothing was to be fired.
SlaClock RetargetClock(const Calendar& calendar, SlaClock clock, absl::Time now,
                       std::optional<absl::Duration> term);

// The same when the calendar changes too: elapsed time is counted by `until_now`, the rest by
// `from_now`.
SlaClock RetargetClock(const Calendar& until_now, const Calendar& from_now, SlaClock clock,
                       absl::Time now, std::optional<absl::Duration> term);

// Ends the count, as a resolution does; `due_at` stays as the promise the work is judged by.
SlaClock StopClock(const Calendar& calendar, SlaClock clock, absl::Time now);

// Working time used by `now`, at or after the clock's last change.
absl::Duration ConsumedAt(const Calendar& calendar, const SlaClock& clock, absl::Time now);

// Working time left at `now`, negative once overdue; empty without a term.
std::optional<absl::Duration> RemainingAt(const Calendar& calendar, const SlaClock& clock,
                                          absl::Time now);

}  // namespace potok::desk
