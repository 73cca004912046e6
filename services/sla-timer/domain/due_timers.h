// The timers a process is about to fire, in order of their due instant, and which of them come
// next. Pure; not thread-safe. Only a picture of rows: the firing transaction decides anew about
// each.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "desk/ticket/ticket.h"

namespace potok::sla_timer {

// A ticket has at most one timer of a kind.
struct TimerKey {
  std::string ticket_id;
  desk::TimerKind kind = desk::TimerKind::kBreach;

  auto operator<=>(const TimerKey&) const = default;
};

struct DueTimer {
  int part = 0;
  TimerKey key;
  int gen = 0;
  absl::Time due_at;  // Business time.

  bool operator==(const DueTimer&) const = default;
};

class DueTimers {
 public:
  // Which timers may go now.
  struct Turn {
    absl::Time now;          // Business time.
    absl::Time fresh_since;  // Due before it: backlog, let through by `backlog_allowance` only.
    size_t limit = 50;
    size_t backlog_allowance = 0;
    absl::Duration monotonic;  // Any clock that never goes back; the one Rest() is told.
  };

  // Forgets all timers and takes these. Rests are kept, but for those of another generation: a
  // timer that was armed anew has not failed yet.
  void Replace(const std::vector<DueTimer>& timers);
  // The same for the timers of these tickets alone; `timers` are all that they have now.
  void ReplaceOf(const std::vector<std::string>& tickets, const std::vector<DueTimer>& timers);
  // Adds one, or moves the one of the same key.
  void Put(const DueTimer& timer);
  void Remove(const TimerKey& key);
  void Clear();

  // Leaves the timer alone until `until` by the clock of Turn::monotonic.
  void Rest(const TimerKey& key, absl::Duration until);
  // It did not work: leaves it alone for `first`, and each time in a row `factor` times as long,
  // `most` at most. A pause of another kind begins anew: whoever was busy has not failed.
  struct Pause {
    absl::Duration first;
    int factor = 2;
    absl::Duration most;
  };
  void RestLonger(const TimerKey& key, const Pause& pause, absl::Duration monotonic);
  // It failed: from now on it is tried without company.
  void SetAlone(const TimerKey& key) { RestOf(key).alone = true; }
  bool IsAlone(const TimerKey& key) const;

  // What to fire now, in due order, at most `limit`. Timers that fell due before `fresh_since` (a
  // downtime) go oldest first and as far as the allowance reaches; while fresh ones wait they take
  // four fifths of the places at most, so a backlog of hours does not make today's deadlines late.
  std::vector<DueTimer> Next(const Turn& turn) const;

  // The earliest due instant, and the earliest one after `now`; empty when there is none.
  std::optional<absl::Time> NextDue() const;
  std::optional<absl::Time> NextDueAfter(absl::Time now) const;
  // When the first timer that is due by `now` and rests may be tried again.
  std::optional<absl::Duration> NextRested(absl::Time now, absl::Duration monotonic) const;
  // How many are due by `now`.
  size_t CountDue(absl::Time now) const;
  size_t size() const { return order_.size(); }

 private:
  using Place = std::pair<absl::Time, TimerKey>;
  struct RestState {
    int gen = 0;  // Of the timer that rests.
    absl::Duration until = -absl::InfiniteDuration();
    absl::Duration first;  // Of the pause that was made last, and how often in a row.
    int times = 0;
    bool alone = false;
  };

  RestState& RestOf(const TimerKey& key);
  bool Rests(const TimerKey& key, absl::Duration monotonic) const;

  std::map<Place, DueTimer> order_;
  std::map<TimerKey, absl::Time> due_by_key_;
  std::map<TimerKey, RestState> rests_;
};

}  // namespace potok::sla_timer
