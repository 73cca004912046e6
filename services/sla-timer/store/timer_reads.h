// Reading timers and what explains a ticket's clock. Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/ticket/ticket.h"
#include "platform/pg/pool.h"
#include "sla-timer/domain/due_timers.h"

namespace potok::sla_timer {

// What the owner of some parts loads.
struct DueWindow {
  absl::Time fresh_since;  // Before it: backlog.
  absl::Time until;
  int most_backlog = 1000;
  int most_fresh = 4000;
};

struct DueRead {
  std::vector<DueTimer> timers;
  bool complete = true;  // Nothing in the window was left out for its limits.
};

// One timer of a ticket in its whole life.
struct TimerLine {
  desk::TimerKind kind = desk::TimerKind::kBreach;
  int gen = 0;
  absl::Time due_at;
  std::string state;  // armed | fired | cancelled | parked
  std::optional<absl::Time> fired_at;
};

// Where a page of timers ended.
struct TimerPlace {
  absl::Time due_at = absl::InfinitePast();
  std::string kind;
  int gen = 0;
};

// A ticket with all that happened to it, in one view of the data.
struct TicketHistory {
  desk::Ticket ticket;
  std::vector<desk::Event> events;
  std::vector<std::pair<desk::TimerKind, int>>
      parked;  // Kind and generation of timers that were given up.
};

struct TimerFigures {
  struct Kind {
    desk::TimerKind kind = desk::TimerKind::kBreach;
    int64_t armed = 0;
    int64_t overdue = 0;
    int64_t fired = 0;
  };
  std::vector<Kind> kinds;
  // Real time; absent when nothing has fired.
  std::optional<absl::Duration> late_p50, late_p99, late_most;
  int64_t early = 0;
};

class TimerReads {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // `pool` outlives it.
  explicit TimerReads(pg::Pool& pool) : pool_(pool) {}

  absl::StatusOr<DueRead> Due(const std::vector<int>& parts, const DueWindow& window) const;
  // What is armed for these tickets (parts[i], tickets[i]) and due before `until`.
  absl::StatusOr<std::vector<DueTimer>> DueOf(const std::vector<int>& parts,
                                              const std::vector<std::string>& tickets,
                                              absl::Time until) const;
  // nullopt when there is no such ticket.
  absl::StatusOr<std::optional<TicketHistory>> History(const std::string& ticket_id,
                                                       Deadline deadline) const;
  absl::StatusOr<std::optional<desk::Ticket>> Ticket(const std::string& ticket_id,
                                                     Deadline deadline) const;
  absl::StatusOr<std::vector<TimerLine>> Timers(const desk::Ticket& ticket, const TimerPlace& after,
                                                int limit, Deadline deadline) const;
  absl::StatusOr<TimerFigures> Figures(Deadline deadline) const;

 private:
  pg::Pool& pool_;
};

}  // namespace potok::sla_timer
