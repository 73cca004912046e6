// The world of one schedule of timers: its database, its processes, and what is broken.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "platform/clock/jump_guard.h"
#include "simulation/event_queue.h"
#include "simulation/random.h"
#include "simulation/timers.h"
#include "simulation/trace.h"
#include "sla-timer/domain/due_timers.h"
#include "sla-timer/domain/half_term.h"
#include "sla-timer/domain/token_bucket.h"

namespace potok::simulation {

constexpr std::int64_t kMostSteps = 100'000;

using desk::TimerKind;
using sla_timer::DueTimer;
using sla_timer::DueTimers;
using sla_timer::TimerKey;

constexpr double kPerSecond = 20;
constexpr size_t kBatch = 5;
constexpr size_t kMostRows = 12;  // of each sort in memory
constexpr Micros kPoll = kSecond;
constexpr absl::Duration kBacklogAge = absl::Seconds(5);
constexpr absl::Duration kLookAhead = absl::Seconds(10);
constexpr int kAttempts = 5;
constexpr DueTimers::Pause kFailurePause = {absl::Milliseconds(50), 4, absl::Minutes(5)};
constexpr DueTimers::Pause kBusyPause = {absl::Milliseconds(10), 2, absl::Seconds(1)};

inline absl::Time At(Micros micros) { return absl::FromUnixMicros(micros); }

// The database: tickets with their clocks, their timers, and what was fired.
struct Row {
  enum State { kArmed, kFired, kCancelled, kParked };
  DueTimer timer;
  State state = kArmed;
  int attempts = 0;
  Micros armed_at = 0;  // true time
};

struct TicketRow {
  desk::Ticket ticket;
  int poison = 0;  // firings that still fail
  std::map<TimerKind, Row> rows;
};

struct Report {
  enum End { kFired, kStale, kSkipped, kNotOurs, kNotYet, kBusy, kFailed, kParked };
  DueTimer timer;
  End end = kBusy;
};

struct FireAnswer {
  Micros now = 0;  // the database's
  std::vector<Report> reports;
};

class TimerWorld {
 public:
  TimerWorld(std::uint64_t seed, TimerFlaw flaw, bool tell)
      : flaw_(flaw), trace_(tell), random_(seed) {}

  TimerResult Run();

 private:
  // TimerLoop with its picture, its clock and its belief to own the timers.
  struct Loop {
    explicit Loop(int number) : index(number) {}
    int index;
    bool believes = false;
    bool frozen = false;
    bool stopped = false;
    DueTimers due;
    sla_timer::TokenBucket budget{kPerSecond};
    JumpGuard guard;
    Micros ahead = 0;  // the database's clock minus ours, as sampled last
    Micros last_read = -kSecond * 1000;
    absl::Time read_until = absl::InfiniteFuture();
    bool hinted = false;
    std::set<std::string> changed;  // tickets that a hint has named
    std::int64_t spent = 0;         // backlog fired under the budget
    Micros spent_since = 0;
    std::vector<std::function<void()>> held_back;
  };

  Micros DatabaseNow() const { return queue_.now() + jump_; }
  absl::Duration Monotonic() const { return absl::Microseconds(queue_.now()); }
  template <class... A>
  void Violate(const A&... parts) {
    if (!result_.violation) result_.violation = absl::StrCat(parts...);
  }
  template <class... A>
  void Say(const A&... parts) {
    trace_.Say(queue_.now(), parts...);
  }
  void In(Loop& loop, Micros wait, std::function<void()> what) {
    queue_.In(wait, [this, &loop, what = std::move(what)] {
      if (result_.violation) return;
      if (loop.frozen) {
        loop.held_back.push_back(what);
      } else {
        what();
      }
    });
  }

  void Turn(Loop& loop);
  void Read(Loop& loop);
  void ReadChanged(Loop& loop);
  static bool HidesRows(const Loop& loop);
  void Fire(Loop& loop, const std::vector<DueTimer>& batch);
  FireAnswer FireInDatabase(const Loop& loop, const std::vector<DueTimer>& batch);
  Report::End FireOne(const Loop& loop, const DueTimer& timer, Micros now);
  void Settle(Loop& loop, const FireAnswer& answer);
  Micros RestAfter(Loop& loop) const;
  void Sample(Loop& loop);
  std::vector<DueTimer> Expected(const Loop& loop, const DueTimers::Turn& turn) const;

  void Arm(TicketRow& row, TimerKind kind, Micros due);
  void ChangeSomeTicket();
  void Break(Micros until);
  void CheckAtRest();

  const TimerFlaw flaw_;
  const Trace trace_;
  Random random_;
  EventQueue queue_;
  std::vector<TicketRow> tickets_;
  std::vector<std::unique_ptr<Loop>> loops_;
  int owner_ = 0;
  bool up_ = true;
  Micros jump_ = 0;
  bool jumped_for_long_ = false;  // the database insists on its new time: nobody can tell
  Micros quiet_since_ = -1;
  std::set<std::tuple<std::string, TimerKind, int>> fired_;
  // What a loop was told to leave alone, by ticket, kind and generation.
  std::map<int, std::map<std::tuple<std::string, TimerKind, int>, Micros>> rests_;
  TimerResult result_;
};

}  // namespace potok::simulation
