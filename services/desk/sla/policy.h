// What the desk promises: terms by priority, and the steps that follow a broken promise.
// Plain values and pure functions; safe to use from any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "desk/calendar/calendar.h"

namespace potok::desk {

inline constexpr int kHighestPriority = 1;
inline constexpr int kLowestPriority = 4;

// A working month is 21 working days whatever month it is: the average of the production calendar,
// and the only reading by which the same request has the same term in January and in July.
inline constexpr int kWorkingDaysOfMonth = 21;

// A promised amount of working time, kept in the unit it was promised in.
struct Target {
  enum Unit { kWorkingMinutes, kWorkingHours, kWorkingDays, kWorkingMonths };

  Unit unit = kWorkingHours;
  int amount = 0;

  friend bool operator==(const Target&, const Target&) = default;
};

// A working day is Calendar::NormalDay().
absl::Duration WorkingTime(const Target& target, const Calendar& calendar);

// What happens when the breach has stood for a while.
struct EscalationStep {
  enum Action {
    kTellManager,  // The head who can step in hears of it.
    kNextLine,     // The ticket moves to the next support line.
  };

  int level = 1;                // 1, 2, 3... in order of the list.
  absl::Duration after_breach;  // Working time, zero for "with the breach".
  Action action = kTellManager;

  friend bool operator==(const EscalationStep&, const EscalationStep&) = default;
};

// No target means no promise, and no timer.
struct PriorityTargets {
  std::optional<Target> first_response;
  std::optional<Target> resolution;

  friend bool operator==(const PriorityTargets&, const PriorityTargets&) = default;
};

struct SlaPolicy {
  std::string id;
  int version = 1;
  std::string name;
  std::string calendar_id;
  std::map<int, PriorityTargets> by_priority;  // 1 highest .. 4 lowest.
  PriorityTargets fallback;                    // Fills each target a priority does not name.
  // The longest resolution term of a ticket marked "needed today"; without it the mark cuts
  // nothing.
  std::optional<Target> needed_today = Target{Target::kWorkingHours, 4};
  bool half_term_reminder = true;
  std::vector<EscalationStep> steps;

  // OK, or INVALID_ARGUMENT that names every wrong field ("by_priority[2].resolution.amount").
  absl::Status Validate() const;

  // The targets of a priority, each taken from `fallback` where the priority has none of its own.
  PriorityTargets TargetsOf(int priority) const;

  // The resolution term in working time: the target of the priority, cut to `needed_today` when the
  // requester needs it today and that is sooner. Empty when nothing is promised.
  std::optional<absl::Duration> ResolutionTerm(int priority, bool is_needed_today,
                                               const Calendar& calendar) const;

  std::optional<absl::Duration> FirstResponseTerm(int priority, const Calendar& calendar) const;
};

}  // namespace potok::desk
