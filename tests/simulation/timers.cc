#include "simulation/timers.h"

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
#include "simulation/trace.h"
#include "sla-timer/domain/due_timers.h"
#include "sla-timer/domain/half_term.h"
#include "sla-timer/domain/token_bucket.h"

namespace potok::simulation {
namespace {

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

absl::Time At(Micros micros) { return absl::FromUnixMicros(micros); }

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
    bool complete = true;
    bool hinted = false;
    std::int64_t spent = 0;  // backlog fired under the budget
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

void TimerWorld::Arm(TicketRow& ticket, TimerKind kind, Micros due) {
  Row& row = ticket.rows[kind];
  row = {.timer = {0, {ticket.ticket.id, kind}, ticket.ticket.sla.gen, At(due)},
         .state = Row::kArmed,
         .attempts = 0,
         .armed_at = queue_.now()};
}

// A clock is started, paused, resumed or stopped, in one transaction with its timers.
void TimerWorld::ChangeSomeTicket() {
  if (!up_) return;
  TicketRow& row =
      tickets_[static_cast<size_t>(random_.Below(static_cast<std::int64_t>(tickets_.size())))];
  desk::SlaClock& clock = row.ticket.sla;
  const Micros now = DatabaseNow();
  if (clock.running_since && random_.Chance(0.5)) {
    clock.running_since.reset();
    if (!row.ticket.breached_at) clock.due_at.reset();
    for (auto& [kind, timer] : row.rows) {
      if (timer.state == Row::kArmed) timer.state = Row::kCancelled;
    }
    return;
  }
  const Micros due =
      now + random_.Between(0, random_.Chance(0.7) ? 8 : 40) * kSecond + random_.Below(kSecond);
  ++clock.gen;
  clock.running_since = At(now);
  clock.due_at = At(due);
  row.ticket.breached_at.reset();
  if (random_.Chance(0.6)) {
    Arm(row, TimerKind::kHalf, now + (due - now) / 2);
  } else if (row.rows.contains(TimerKind::kHalf)) {
    Row& half = row.rows[TimerKind::kHalf];
    if (half.state == Row::kArmed) half.state = Row::kCancelled;
  }
  Arm(row, TimerKind::kBreach, due);
  if (random_.Chance(0.5)) {
    for (const auto& loop : loops_) loop->hinted = true;
  }
}

// DbClock::Run
void TimerWorld::Sample(Loop& loop) {
  if (up_ && !loop.stopped) {
    const Micros error = random_.Between(-2, 2) * kMillisecond;
    loop.ahead = jump_ + error;
    loop.guard.Sampled(absl::Microseconds(loop.ahead));
  }
  In(loop, 5 * kSecond, [this, &loop] { Sample(loop); });
}

// TimerLoop::Turn
void TimerWorld::Turn(Loop& loop) {
  const auto next = [this, &loop](Micros wait) { In(loop, wait, [this, &loop] { Turn(loop); }); };
  if (loop.stopped || !loop.believes) {
    loop.due.Clear();
    rests_[loop.index].clear();
    loop.last_read = -kSecond * 1000;
    return next(250 * kMillisecond);
  }
  if (!loop.guard.stable() && flaw_ != TimerFlaw::kIgnoresJumps) {
    ++result_.held;
    return next(250 * kMillisecond);
  }
  const Micros since = queue_.now() - loop.last_read;
  const bool time_to_read = since >= kPoll || (loop.hinted && since >= 20 * kMillisecond) ||
                            (!loop.complete && loop.due.size() == 0);
  if (time_to_read && (flaw_ != TimerFlaw::kReadsOnce || loop.last_read < 0)) {
    if (!up_ || random_.Chance(0.01)) {
      loop.last_read = -kSecond * 1000;
      return next(random_.Between(20, 500) * kMillisecond);
    }
    Read(loop);
  }
  const absl::Time now = At(queue_.now() + loop.ahead);
  DueTimers::Turn turn = {.now = now,
                          .fresh_since = now - kBacklogAge,
                          .limit = kBatch,
                          .backlog_allowance = loop.budget.Available(Monotonic()),
                          .monotonic = Monotonic()};
  if (flaw_ == TimerFlaw::kNoBudget) turn.backlog_allowance = kBatch;
  const std::vector<DueTimer> batch = loop.due.Next(turn);
  if (batch != Expected(loop, turn)) {
    Violate("loop ", loop.index, " would fire other timers than the rule says");
  }
  Say("loop ", loop.index, " knows ", loop.due.size(), ", fires ", batch.size(), ", rests ",
      batch.empty() ? RestAfter(loop) : 0);
  if (batch.empty()) return next(RestAfter(loop));
  const auto backlog = std::count_if(batch.begin(), batch.end(), [&](const DueTimer& timer) {
    return timer.due_at < turn.fresh_since;
  });
  loop.budget.Spend(static_cast<size_t>(backlog));
  loop.spent += backlog;
  const double seconds = static_cast<double>(queue_.now() - loop.spent_since) / kSecond;
  if (static_cast<double>(loop.spent) > kPerSecond * (seconds + 1) + kBatch) {
    Violate("loop ", loop.index, " worked off ", loop.spent, " of the backlog in ", seconds, " s");
  }
  Fire(loop, batch);
}

// TimerReads::Due, load_due.sql
void TimerWorld::Read(Loop& loop) {
  loop.hinted = false;
  const absl::Time now = At(queue_.now() + loop.ahead);
  std::vector<DueTimer> backlog, fresh;
  for (const TicketRow& ticket : tickets_) {
    for (const auto& [kind, row] : ticket.rows) {
      if (row.state != Row::kArmed) continue;
      if (row.timer.due_at < now - kBacklogAge) {
        backlog.push_back(row.timer);
      } else if (row.timer.due_at < now + kLookAhead) {
        fresh.push_back(row.timer);
      }
    }
  }
  loop.complete = backlog.size() < kMostRows && fresh.size() < kMostRows;
  const auto by_due = [](const DueTimer& a, const DueTimer& b) {
    return std::tie(a.due_at, a.key) < std::tie(b.due_at, b.key);
  };
  for (std::vector<DueTimer>* rows : {&backlog, &fresh}) {
    std::sort(rows->begin(), rows->end(), by_due);
    rows->resize(std::min(rows->size(), kMostRows));
  }
  backlog.insert(backlog.end(), fresh.begin(), fresh.end());
  loop.due.Replace(backlog);
  // A rest outlives a read of its row, but not the row.
  std::erase_if(rests_[loop.index], [&](const auto& rest) {
    return std::none_of(backlog.begin(), backlog.end(), [&](const DueTimer& timer) {
      return rest.first == std::tuple(timer.key.ticket_id, timer.key.kind, timer.gen);
    });
  });
  loop.last_read = queue_.now();
}

// The rule, said anew: of what is due and does not rest, in due order, the backlog as far as its
// allowance reaches, but a fifth of the places (one at least) is kept for fresh ones that wait.
std::vector<DueTimer> TimerWorld::Expected(const Loop& loop, const DueTimers::Turn& turn) const {
  std::vector<DueTimer> backlog, fresh;
  DueTimers::Turn all = turn;
  all.limit = all.backlog_allowance = 1'000'000;
  std::vector<DueTimer> due = loop.due.Next(all);  // nothing is left out: order and rests remain
  for (const DueTimer& timer : due) {
    if (timer.due_at > turn.now) return {};
    const auto& rests = rests_.at(loop.index);
    const auto rest = rests.find({timer.key.ticket_id, timer.key.kind, timer.gen});
    if (rest != rests.end() && rest->second > queue_.now()) return {};
    (timer.due_at < turn.fresh_since ? backlog : fresh).push_back(timer);
  }
  const auto by_due = [](const DueTimer& a, const DueTimer& b) { return a.due_at < b.due_at; };
  std::stable_sort(backlog.begin(), backlog.end(), by_due);
  std::stable_sort(fresh.begin(), fresh.end(), by_due);
  const size_t kept = std::min({fresh.size(), std::max<size_t>(1, turn.limit / 5), turn.limit});
  backlog.resize(std::min({backlog.size(), turn.backlog_allowance, turn.limit - kept}));
  fresh.resize(std::min(fresh.size(), turn.limit - backlog.size()));
  backlog.insert(backlog.end(), fresh.begin(), fresh.end());
  return backlog;
}

// TimerFiring::Fire: one transaction, whose answer may be lost.
void TimerWorld::Fire(Loop& loop, const std::vector<DueTimer>& batch) {
  const bool arrives = up_ && random_.Chance(0.98);
  const bool answered = random_.Chance(0.98);
  const Micros way = random_.Between(1, 20) * kMillisecond;
  auto answer = std::make_shared<std::optional<FireAnswer>>();
  if (arrives) {
    queue_.In(way, [this, &loop, batch, answer] {
      if (up_ && !result_.violation) *answer = FireInDatabase(loop, batch);
    });
  }
  In(loop, way + random_.Between(1, 20) * kMillisecond, [this, &loop, answer, answered, batch] {
    if (!*answer || !answered) {
      // What the transaction did is unknown; the rows know.
      if (flaw_ == TimerFlaw::kForgetsOnError) {
        for (const DueTimer& timer : batch) loop.due.Rest(timer.key, absl::InfiniteDuration());
      }
      loop.last_read = -kSecond * 1000;
      return In(loop, random_.Between(20, 500) * kMillisecond, [this, &loop] { Turn(loop); });
    }
    Settle(loop, **answer);
    In(loop, RestAfter(loop), [this, &loop] { Turn(loop); });
  });
}

FireAnswer TimerWorld::FireInDatabase(const Loop& loop, const std::vector<DueTimer>& batch) {
  FireAnswer answer{.now = DatabaseNow(), .reports = {}};
  for (const DueTimer& timer : batch) {
    answer.reports.push_back({timer, FireOne(loop, timer, answer.now)});
  }
  return answer;
}

// TimerFiring::TryTogether for one of them.
Report::End TimerWorld::FireOne(const Loop& loop, const DueTimer& timer, Micros now) {
  // hold_parts.sql
  if (owner_ != loop.index && flaw_ != TimerFlaw::kIgnoresTheLease) return Report::kBusy;
  if (timer.due_at > At(now) && flaw_ != TimerFlaw::kBelievesItsClock) return Report::kNotYet;
  if (random_.Chance(0.03)) return Report::kBusy;  // somebody has the ticket's lock
  const auto found = std::find_if(tickets_.begin(), tickets_.end(), [&](const TicketRow& ticket) {
    return ticket.ticket.id == timer.key.ticket_id;
  });
  Row& row = found->rows[timer.key.kind];
  if (sla_timer::BreachIsDueToo(timer, found->ticket, At(now)) && flaw_ != TimerFlaw::kTellsBoth) {
    if (row.state == Row::kArmed && row.timer == timer) row.state = Row::kCancelled;
    ++result_.skipped;
    return Report::kSkipped;
  }
  // desk::Decide refuses what the ticket does not want now (STALE_TIMER).
  const bool wanted = row.state == Row::kArmed && row.timer.gen == timer.gen &&
                      found->ticket.sla.running_since.has_value();
  if (!wanted && (flaw_ != TimerFlaw::kIgnoresGeneration || row.state != Row::kArmed)) {
    return Report::kStale;
  }
  if (found->poison > 0) {
    --found->poison;
    if (++row.attempts < kAttempts) return Report::kFailed;
    row.state = Row::kParked;
    return Report::kParked;
  }
  Say("loop ", loop.index, " fires ", timer.key.ticket_id, " ", desk::Name(timer.key.kind), " of ",
      timer.gen);
  ++result_.fired;
  const desk::SlaClock& clock = found->ticket.sla;
  if (row.timer.due_at > At(now)) Violate("a timer fired early by the database's clock");
  if (!jumped_for_long_ && row.timer.due_at > At(queue_.now()) + absl::Seconds(2)) {
    Violate("a timer fired ", absl::FormatDuration(row.timer.due_at - At(queue_.now())),
            " early because a clock jumped");
  }
  if (!fired_.emplace(timer.key.ticket_id, timer.key.kind, timer.gen).second) {
    Violate(timer.key.ticket_id, " ", desk::Name(timer.key.kind), " of generation ", timer.gen,
            " fired twice");
  }
  if (timer.gen != clock.gen) Violate("a timer of an older clock fired");
  if (owner_ != loop.index) Violate("a former owner fired a timer");
  if (timer.key.kind == TimerKind::kHalf && clock.due_at && *clock.due_at <= At(now) &&
      !found->ticket.breached_at) {
    Violate("half of a term was told when all of it was over");
  }
  row.state = Row::kFired;
  if (timer.key.kind == TimerKind::kBreach) found->ticket.breached_at = row.timer.due_at;
  if (quiet_since_ >= 0) {
    const Micros due = std::max({absl::ToUnixMicros(row.timer.due_at) - jump_, row.armed_at});
    if (due > quiet_since_ && row.attempts == 0 && queue_.now() - due > 2 * kSecond) {
      Violate("a timer that fell due in the quiet fired ", (queue_.now() - due) / kMillisecond,
              " ms late");
    }
  }
  return Report::kFired;
}

// TimerLoop::Settle
void TimerWorld::Settle(Loop& loop, const FireAnswer& answer) {
  auto& rests = rests_[loop.index];
  for (const Report& report : answer.reports) {
    const TimerKey& key = report.timer.key;
    const std::tuple place(key.ticket_id, key.kind, report.timer.gen);
    rests.erase(place);
    switch (report.end) {
      case Report::kFired:
      case Report::kNotOurs:
      case Report::kParked: loop.due.Remove(key); break;
      case Report::kStale:
      case Report::kSkipped:
        loop.hinted = true;
        loop.due.Remove(key);
        break;
      case Report::kNotYet: {
        const absl::Duration until =
            Monotonic() + std::clamp(report.timer.due_at - At(answer.now), absl::Microseconds(200),
                                     absl::Seconds(1));
        loop.due.Rest(key, until);
        rests[place] = absl::ToInt64Microseconds(until);
        break;
      }
      case Report::kBusy: loop.due.RestLonger(key, kBusyPause, Monotonic()); break;
      case Report::kFailed:
        loop.due.SetAlone(key);
        loop.due.RestLonger(key, kFailurePause, Monotonic());
        rests[place] = absl::ToInt64Microseconds(Monotonic() + kFailurePause.first);
        break;
    }
  }
}

// TimerLoop::RestAfter
Micros TimerWorld::RestAfter(Loop& loop) const {
  absl::Duration rest = absl::Microseconds(loop.last_read + kPoll - queue_.now());
  if (loop.hinted) {
    rest = std::min(rest, absl::Microseconds(loop.last_read + 20 * kMillisecond - queue_.now()));
  }
  if (loop.due.size() == 0 && !loop.complete) return 0;
  const absl::Time now = At(queue_.now() + loop.ahead);
  const DueTimers::Turn one_more = {
      .now = now,
      .fresh_since = now - kBacklogAge,
      .limit = 1,
      .backlog_allowance = loop.budget.UntilNext() > absl::ZeroDuration() ? 0u : 1u,
      .monotonic = Monotonic()};
  if (!loop.due.Next(one_more).empty()) return 0;
  if (const auto next = loop.due.NextDue(); next && *next < one_more.fresh_since) {
    if (one_more.backlog_allowance == 0) rest = std::min(rest, loop.budget.UntilNext());
  }
  if (const auto rested = loop.due.NextRested(now, Monotonic())) {
    rest = std::min(rest, *rested - Monotonic());
  }
  if (const auto ahead = loop.due.NextDueAfter(now)) rest = std::min(rest, *ahead - now);
  return std::max<Micros>(200, absl::ToInt64Microseconds(rest));
}

void TimerWorld::Break(Micros until) {
  const auto thaw = [this](Loop& loop) {
    loop.frozen = false;
    std::vector<std::function<void()>> held_back;
    held_back.swap(loop.held_back);
    for (const auto& what : held_back) what();
  };
  for (std::int64_t left = random_.Between(0, 4); left > 0; --left) {
    const Micros at = random_.Below(until);
    const Micros length = random_.Between(1, 15) * kSecond;
    Loop& loop =
        *loops_[static_cast<size_t>(random_.Below(static_cast<std::int64_t>(loops_.size())))];
    switch (random_.Below(5)) {
      case 0:  // a downtime
        queue_.In(at, [&loop] { loop.stopped = true; });
        queue_.In(at + length, [&loop] { loop.stopped = false; });
        break;
      case 1:  // a zombie
        queue_.In(at, [&loop] { loop.frozen = true; });
        queue_.In(at + length, [&loop, thaw] { thaw(loop); });
        break;
      case 2:  // the lease goes to the other, and the former owner does not know
        queue_.In(at, [this] {
          owner_ = static_cast<int>((owner_ + 1) % static_cast<int>(loops_.size()));
          loops_[static_cast<size_t>(owner_)]->believes = true;
          for (const auto& each : loops_) {
            if (each->index == owner_) continue;
            In(*each, random_.Between(0, 4) * kSecond,
               [this, &each = *each] { each.believes = owner_ == each.index; });
          }
        });
        break;
      case 3: {  // the database's clock jumps; mostly it comes back before anybody believes it
        const Micros jump = random_.Between(3, 3600) * kSecond * (random_.Chance(0.5) ? 1 : -1);
        const bool for_long = random_.Chance(0.2);
        if (for_long) jumped_for_long_ = true;
        queue_.In(at, [this, jump] { jump_ += jump; });
        const Micros back = for_long ? length : random_.Between(1, 9) * kSecond;
        queue_.In(at + back, [this, jump] { jump_ -= jump; });
        break;
      }
      case 4:
        queue_.In(at, [this] { up_ = false; });
        queue_.In(at + length / 4, [this] { up_ = true; });
        break;
    }
  }
}

void TimerWorld::CheckAtRest() {
  for (const TicketRow& ticket : tickets_) {
    for (const auto& [kind, row] : ticket.rows) {
      if (row.state != Row::kArmed) continue;
      const absl::Duration late = At(DatabaseNow()) - row.timer.due_at;
      if (late > absl::Seconds(2)) {
        Violate(ticket.ticket.id, " ", desk::Name(kind), " of generation ", row.timer.gen,
                " is overdue by ", absl::FormatDuration(late), " and nobody fires it");
      }
    }
  }
}

TimerResult TimerWorld::Run() {
  const std::int64_t loops = random_.Between(1, 2);
  for (int i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<Loop>(i));
    Loop& loop = *loops_.back();
    loop.believes = i == owner_;
    Sample(loop);
    In(loop, random_.Below(kSecond), [this, &loop] { Turn(loop); });
  }
  tickets_.resize(static_cast<size_t>(random_.Between(1, 60)));
  const double poisonous = random_.Chance(0.3) ? 0.1 : 0;
  for (size_t i = 0; i < tickets_.size(); ++i) {
    tickets_[i].ticket.id = absl::StrCat("t", i);
    if (random_.Chance(poisonous)) tickets_[i].poison = static_cast<int>(random_.Between(1, 12));
  }
  const Micros chaos = random_.Between(10, 40) * kSecond;
  for (std::int64_t left = random_.Between(10, 150); left > 0; --left) {
    queue_.In(random_.Below(chaos), [this] { ChangeSomeTicket(); });
  }
  Break(chaos);
  const auto until = [this](Micros end) {
    while (!result_.violation && queue_.Step(end)) {
      if (queue_.steps() > kMostSteps) Violate("goes round in circles");
    }
  };
  // The longest fault, the hold after a jump, the backlog at its rate, the tries of what fails.
  until(chaos + 60 * kSecond);
  CheckAtRest();
  quiet_since_ = queue_.now();
  for (int i = 0; i < 10; ++i) {
    queue_.In(random_.Below(5 * kSecond), [this] { ChangeSomeTicket(); });
  }
  until(queue_.now() + 20 * kSecond);
  CheckAtRest();
  return std::move(result_);
}

}  // namespace

TimerResult RunTimers(std::uint64_t seed, TimerFlaw flaw, bool trace) {
  return TimerWorld(seed, flaw, trace).Run();
}

}  // namespace potok::simulation
