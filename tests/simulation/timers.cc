#include "simulation/timers.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

#include "simulation/timer_world.h"

namespace potok::simulation {

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
    for (const auto& loop : loops_) loop->changed.insert(row.ticket.id);
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

Micros TimerWorld::RestAfter(Loop& loop) const {
  absl::Duration rest = absl::Microseconds(loop.last_read + kPoll - queue_.now());
  if (loop.hinted) {
    rest = std::min(rest, absl::Microseconds(loop.last_read + 20 * kMillisecond - queue_.now()));
  }
  if (HidesRows(loop) || !loop.changed.empty()) return 0;
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
      // One that its handler refuses is between its tries.
      if (late > (row.attempts > 0 ? absl::Seconds(10) : absl::Seconds(2))) {
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

TimerResult RunTimers(std::uint64_t seed, TimerFlaw flaw, bool trace) {
  return TimerWorld(seed, flaw, trace).Run();
}

}  // namespace potok::simulation
