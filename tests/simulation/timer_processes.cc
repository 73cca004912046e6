// The processes of a schedule of timers: what a turn of the loop does, and what the database
// answers.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "simulation/timer_world.h"

namespace potok::simulation {

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
  const bool time_to_read =
      since >= kPoll || (loop.hinted && since >= 20 * kMillisecond) || HidesRows(loop);
  if (time_to_read && (flaw_ != TimerFlaw::kReadsOnce || loop.last_read < 0)) {
    if (!up_ || random_.Chance(0.01)) {
      loop.last_read = -kSecond * 1000;
      return next(random_.Between(20, 500) * kMillisecond);
    }
    Read(loop);
  } else {
    ReadChanged(loop);
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
  loop.changed.clear();
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
  const bool complete = backlog.size() < kMostRows && fresh.size() < kMostRows;
  const auto by_due = [](const DueTimer& a, const DueTimer& b) {
    return std::tie(a.due_at, a.key) < std::tie(b.due_at, b.key);
  };
  for (std::vector<DueTimer>* rows : {&backlog, &fresh}) {
    std::sort(rows->begin(), rows->end(), by_due);
    rows->resize(std::min(rows->size(), kMostRows));
  }
  backlog.insert(backlog.end(), fresh.begin(), fresh.end());
  loop.read_until = complete ? absl::InfiniteFuture() : absl::InfinitePast();
  if (!complete) {
    for (const DueTimer& timer : backlog) loop.read_until = std::max(loop.read_until, timer.due_at);
  }
  loop.due.Replace(backlog);
  // A rest outlives a read of its row, but not the row.
  std::erase_if(rests_[loop.index], [&](const auto& rest) {
    return std::none_of(backlog.begin(), backlog.end(), [&](const DueTimer& timer) {
      return rest.first == std::tuple(timer.key.ticket_id, timer.key.kind, timer.gen);
    });
  });
  loop.last_read = queue_.now();
}

// TimerLoop::ReadChanged
void TimerWorld::ReadChanged(Loop& loop) {
  const std::set<std::string> changed = std::exchange(loop.changed, {});
  const absl::Time until = At(queue_.now() + loop.ahead) + kLookAhead;
  std::vector<DueTimer> armed;
  for (const TicketRow& ticket : tickets_) {
    if (!changed.contains(ticket.ticket.id)) continue;
    for (const auto& [kind, row] : ticket.rows) {
      if (row.state == Row::kArmed && row.timer.due_at < until) armed.push_back(row.timer);
    }
  }
  loop.due.ReplaceOf({changed.begin(), changed.end()}, armed);
  std::erase_if(rests_[loop.index], [&](const auto& rest) {
    return changed.contains(std::get<0>(rest.first)) &&
           std::none_of(armed.begin(), armed.end(), [&](const DueTimer& timer) {
             return rest.first == std::tuple(timer.key.ticket_id, timer.key.kind, timer.gen);
           });
  });
}

bool TimerWorld::HidesRows(const Loop& loop) {
  return loop.due.NextDue().value_or(absl::InfiniteFuture()) > loop.read_until;
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

}  // namespace potok::simulation
