#include "sla-timer/work/timer_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/status_macros.h"
#include "desk/stream_names.h"
#include "platform/obs/log.h"

namespace potok::sla_timer {
namespace {

constexpr DueTimers::Pause kBusyPause = {absl::Milliseconds(10), 2, absl::Seconds(1)};
constexpr absl::Duration kLongestRetry = absl::Minutes(5);
// Below it a wait costs more than it saves, and the next look would come before the instant again.
constexpr absl::Duration kShortestWait = absl::Microseconds(200);
constexpr absl::Duration kUnstableWait = absl::Milliseconds(250);
// Of more tickets than that, all near timers are read instead.
constexpr size_t kMostChanged = 4000;

absl::Duration Monotonic() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// From a tenth of a millisecond, which only an idle machine reaches, to a day of downtime.
std::vector<double> LatenessBuckets() {
  return {0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,  0.25,
          0.5,    1,      2,     5,     10,    60,   600,  3600, 86400};
}

}  // namespace

TimerLoop::TimerLoop(TimerLoopOptions options, pg::Pool& pool, ledger::Reference& reference,
                     const Clock& clock, obs::Metrics& metrics, std::function<void()> on_commit)
    : options_(std::move(options)),
      clock_(clock),
      metrics_(metrics),
      on_commit_(std::move(on_commit)),
      // Nothing to stamp: the firing transaction checks the lease row itself.
      leases_({.family = "sla",
               .parts = desk::AllParts(),
               .owner = options_.owner,
               .times = options_.lease_times,
               .hooks = options_.hooks},
              pool, [](pg::Tx&, const std::vector<log::Held>&) { return absl::OkStatus(); }),
      reads_(pool),
      firing_(pool, reference),
      backlog_budget_(options_.catch_up_per_second),
      lateness_seconds_(metrics.Histogram("potok_sla_timer_lateness_seconds",
                                          "Real time from the due instant of a timer to its fire.",
                                          {}, LatenessBuckets())),
      due_gauge_(metrics.Gauge("potok_sla_timer_due",
                               "Timers of this process that are due and not fired yet.")),
      near_gauge_(metrics.Gauge("potok_sla_timer_near",
                                "Timers this process keeps in memory because they are near.")),
      parts_gauge_(
          metrics.Gauge("potok_sla_timer_parts", "Parts whose timers this process fires.")) {}

TimerLoopStats TimerLoop::Stats() const {
  return {stat_parts_.load(), stat_near_.load(),  stat_due_.load(),
          stat_reads_.load(), stat_fired_.load(), stat_parked_.load()};
}

absl::Duration TimerLoop::PollInterval() const {
  // The shortest promise is one working minute. Four looks in it are plenty, and with a clock that
  // is not scaled that means the longest poll.
  return std::clamp(clock_.ToReal(absl::Minutes(1)) / 4, options_.shortest_poll,
                    options_.longest_poll);
}

bool TimerLoop::TimeToRead(const std::vector<log::Held>& held, absl::Duration monotonic) const {
  if (held != read_for_) return true;
  const absl::Duration since = monotonic - last_read_;
  if (since >= PollInterval()) return true;
  if (hinted_.load(std::memory_order_relaxed)) return since >= options_.hint_pause;
  // Part of the window was left out: what is in memory may not hide it.
  return HidesRows();
}

bool TimerLoop::HidesRows() const {
  return due_.NextDue().value_or(absl::InfiniteFuture()) > read_until_;
}

absl::Status TimerLoop::Read(const std::vector<log::Held>& held, absl::Duration monotonic) {
  // Cleared before the read: a hint that comes while it runs is for the next one.
  hinted_.store(false, std::memory_order_relaxed);
  {
    absl::MutexLock lock(&mu_);
    changed_.clear();
  }
  std::vector<int> parts;
  for (const log::Held& lease : held) parts.push_back(lease.part);
  const absl::Time now = clock_.Now();
  DueWindow window;
  window.fresh_since = now - clock_.ToBusiness(options_.backlog_age);
  window.until = now + clock_.ToBusiness(options_.look_ahead);
  window.most_backlog = options_.most_backlog;
  window.most_fresh = options_.most_fresh;
  POTOK_ASSIGN_OR_RETURN(const DueRead read, reads_.Due(parts, window));
  due_.Replace(read.timers);
  read_until_ = absl::InfiniteFuture();
  if (!read.complete) {
    // Backlog and fresh ones are cut each by itself; only who runs out of both reads anew at once.
    read_until_ = absl::InfinitePast();
    for (const DueTimer& timer : read.timers) read_until_ = std::max(read_until_, timer.due_at);
  }
  read_for_ = held;
  last_read_ = monotonic;
  stat_reads_.fetch_add(1);
  return absl::OkStatus();
}

void TimerLoop::Changed(const std::vector<std::pair<int, std::string>>& tickets) {
  absl::MutexLock lock(&mu_);
  for (const auto& [part, ticket] : tickets) changed_.emplace(ticket, part);
  if (changed_.size() <= kMostChanged) return;
  changed_.clear();
  Wake();
}

absl::Status TimerLoop::ReadChanged(const std::vector<log::Held>& held) {
  std::map<std::string, int> changed;
  {
    absl::MutexLock lock(&mu_);
    changed.swap(changed_);
  }
  std::vector<int> parts;
  std::vector<std::string> tickets;
  for (const auto& [ticket, part] : changed) {
    const bool ours = std::any_of(held.begin(), held.end(),
                                  [&](const log::Held& lease) { return lease.part == part; });
    if (!ours) continue;
    parts.push_back(part);
    tickets.push_back(ticket);
  }
  if (tickets.empty()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<DueTimer> timers,
      reads_.DueOf(parts, tickets, clock_.Now() + clock_.ToBusiness(options_.look_ahead)));
  due_.ReplaceOf(tickets, timers);
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> TimerLoop::Turn() {
  const std::vector<log::Held> held = leases_.Get();
  stat_parts_ = static_cast<int>(held.size());
  parts_gauge_.Set(static_cast<double>(held.size()));
  const absl::Duration monotonic = Monotonic();
  if (held.empty()) {
    due_.Clear();
    read_for_.clear();
    return options_.shortest_poll;
  }
  // The database's clock has just jumped. A breach fired by a wrong clock cannot be taken back.
  if (!clock_.Stable()) return kUnstableWait;
  if (absl::Status read = TimeToRead(held, monotonic) ? Read(held, monotonic) : ReadChanged(held);
      !read.ok()) {
    last_read_ = -absl::InfiniteDuration();
    return read;
  }
  const absl::Time now = clock_.Now();
  // Asked again: the sample that shows a jump may have come since, and `now` be of it.
  if (!clock_.Stable()) return kUnstableWait;
  const absl::Time fresh_since = now - clock_.ToBusiness(options_.backlog_age);
  const std::vector<DueTimer> batch =
      due_.Next({.now = now,
                 .fresh_since = fresh_since,
                 .limit = options_.batch,
                 .backlog_allowance = backlog_budget_.Available(monotonic),
                 .monotonic = monotonic});
  if (!batch.empty()) {
    backlog_budget_.Spend(std::count_if(batch.begin(), batch.end(), [&](const DueTimer& timer) {
      return timer.due_at < fresh_since;
    }));
    if (absl::Status fired = FireBatch(batch, held, monotonic); !fired.ok()) {
      // What the transaction did is unknown; the rows know.
      last_read_ = -absl::InfiniteDuration();
      return fired;
    }
  }
  stat_near_ = due_.size();
  stat_due_ = due_.CountDue(now);
  near_gauge_.Set(static_cast<double>(due_.size()));
  due_gauge_.Set(static_cast<double>(stat_due_.load()));
  return RestAfter(clock_.Now(), Monotonic());
}

absl::Status TimerLoop::FireBatch(const std::vector<DueTimer>& batch,
                                  const std::vector<log::Held>& held, absl::Duration monotonic) {
  std::vector<DueTimer> together, alone;
  for (const DueTimer& timer : batch) (due_.IsAlone(timer.key) ? alone : together).push_back(timer);
  const absl::Duration look_ahead = clock_.ToBusiness(options_.look_ahead);
  const auto settle = [&](const FireResult& result) {
    bool appended = false;
    for (const FireReport& report : result.reports) {
      appended |= report.end == FireReport::kFired;
      Settle(report, result.now, monotonic);
    }
    for (const DueTimer& timer : result.armed) due_.Put(timer);
    if (appended && on_commit_) on_commit_();
  };
  POTOK_ASSIGN_OR_RETURN(const FireResult most, firing_.Fire(together, held, look_ahead));
  settle(most);
  POTOK_ASSIGN_OR_RETURN(const FireResult few, firing_.FireAlone(alone, held, look_ahead));
  settle(few);
  return absl::OkStatus();
}

void TimerLoop::Settle(const FireReport& report, absl::Time database_now,
                       absl::Duration monotonic) {
  const TimerKey& key = report.timer.key;
  const std::string kind(desk::Name(key.kind));
  switch (report.end) {
    case FireReport::kFired:
      lateness_seconds_.Observe(
          absl::ToDoubleSeconds(clock_.ToReal(report.fired_at - report.timer.due_at)));
      metrics_
          .Counter("potok_sla_timer_fired_total", "Timers that fired, by kind.", {{"kind", kind}})
          .Increment();
      stat_fired_.fetch_add(1);
      return due_.Remove(key);
    case FireReport::kStale:
    case FireReport::kSkipped:
      metrics_
          .Counter("potok_sla_timer_dropped_total",
                   "Timers that were due but no longer wanted, by kind.", {{"kind", kind}})
          .Increment();
      // The row may have been armed anew, for sooner than the next poll.
      Wake();
      return due_.Remove(key);
    case FireReport::kNotOurs: return due_.Remove(key);
    case FireReport::kNotYet:
      // Our picture of the database's clock is ahead by a little: at most half a round trip.
      return due_.Rest(key,
                       monotonic + std::clamp(clock_.ToReal(report.timer.due_at - database_now),
                                              kShortestWait, absl::Seconds(1)));
    case FireReport::kBusy: return due_.RestLonger(key, kBusyPause, monotonic);
    case FireReport::kFailed:
      obs::LogWarn("timer.failed", "a timer cannot be fired; it will be tried again",
                   {{"ticket", key.ticket_id}, {"kind", kind}, {"error", report.why}});
      due_.SetAlone(key);
      return due_.RestLonger(key, {options_.first_retry, 4, kLongestRetry}, monotonic);
    case FireReport::kParked:
      stat_parked_.fetch_add(1);
      metrics_
          .Counter("potok_sla_timer_parked_total",
                   "Timers given up after repeated failures, by kind.", {{"kind", kind}})
          .Increment();
      obs::LogError("timer.parked", "a timer was given up after repeated failures",
                    {{"ticket", key.ticket_id}, {"kind", kind}, {"error", report.why}});
      return due_.Remove(key);
  }
}

absl::Duration TimerLoop::RestAfter(absl::Time now, absl::Duration monotonic) const {
  absl::Duration rest = last_read_ + PollInterval() - monotonic;
  if (hinted_.load(std::memory_order_relaxed)) {
    rest = std::min(rest, last_read_ + options_.hint_pause - monotonic);
  }
  if (HidesRows()) return absl::ZeroDuration();
  const DueTimers::Turn one_more = {
      .now = now,
      .fresh_since = now - clock_.ToBusiness(options_.backlog_age),
      .limit = 1,
      .backlog_allowance = backlog_budget_.UntilNext() > absl::ZeroDuration() ? 0u : 1u,
      .monotonic = monotonic};
  if (!due_.Next(one_more).empty()) return absl::ZeroDuration();
  // What is due now rests after a failure, or is backlog without budget.
  if (const auto next = due_.NextDue(); next && *next < one_more.fresh_since) {
    if (one_more.backlog_allowance == 0) rest = std::min(rest, backlog_budget_.UntilNext());
  }
  if (const auto rested = due_.NextRested(now, monotonic)) {
    rest = std::min(rest, *rested - monotonic);
  }
  if (const auto ahead = due_.NextDueAfter(now)) {
    rest = std::min(rest, clock_.RealWaitUntil(*ahead));
  }
  return std::max(rest, kShortestWait);
}

}  // namespace potok::sla_timer
