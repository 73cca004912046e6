#include "router/work/dispatcher.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "platform/obs/log.h"
#include "router/store/routing_store.h"

namespace potok::router {
namespace {

// On a scaled clock. Each sweep looks at all that waits: twenty a second were a tenth of the
// database.
constexpr absl::Duration kSoonestSweep = absl::Milliseconds(200);
// After so many flows that were woken, one that a sweep found has its turn.
constexpr int kWokenInARow = 4;

}  // namespace

Dispatcher::Dispatcher(pg::Pool& pool, const Clock& clock, Pass& pass, Rehome& rehome,
                       RouterMetrics& metrics, DispatcherOptions options)
    : pool_(pool),
      clock_(clock),
      pass_(pass),
      rehome_(rehome),
      metrics_(metrics),
      options_(options),
      swept_(std::chrono::steady_clock::now()) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Start() {
  if (!threads_.empty()) return;
  {
    absl::MutexLock lock(&mu_);
    stop_ = false;
    sweep_soon_ = true;  // What waited while nobody ran.
  }
  for (int i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { RunWorker(); });
  threads_.emplace_back([this] { RunSweeper(); });
}

void Dispatcher::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stop_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Dispatcher::Wake(const std::string& flow) {
  absl::MutexLock lock(&mu_);
  Add(flow, /*woken=*/true);
}

void Dispatcher::Add(const std::string& flow, bool woken) {
  Place& place = places_[flow];
  if (place.pending && (place.woken || !woken)) return;
  if (place.pending && !place.running) found_.erase(std::find(found_.begin(), found_.end(), flow));
  place.pending = true;
  place.woken = woken;
  if (!place.running) (woken ? woken_ : found_).push_back(flow);
}

bool Dispatcher::Ready() const { return !woken_.empty() || (!found_.empty() && !found_runs_); }

std::string Dispatcher::Next(bool* found) {
  const bool may = !found_.empty() && !found_runs_;
  *found = may && (woken_.empty() || woken_in_a_row_ >= kWokenInARow);
  woken_in_a_row_ = *found ? 0 : woken_in_a_row_ + 1;
  std::deque<std::string>& line = *found ? found_ : woken_;
  std::string flow = std::move(line.front());
  line.pop_front();
  return flow;
}

void Dispatcher::SweepSoon() {
  absl::MutexLock lock(&mu_);
  sweep_soon_ = true;
}

void Dispatcher::WaitIdle() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(
      +[](Dispatcher* d) ABSL_EXCLUSIVE_LOCKS_REQUIRED(d->mu_) { return d->places_.empty(); },
      this));
}

absl::Duration Dispatcher::SinceSweep() const {
  absl::MutexLock lock(&mu_);
  return absl::FromChrono(std::chrono::steady_clock::now() - swept_);
}

void Dispatcher::RunWorker() {
  while (true) {
    std::string flow;
    bool found = false;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(
          +[](Dispatcher* d)
               ABSL_EXCLUSIVE_LOCKS_REQUIRED(d->mu_) { return d->stop_ || d->Ready(); },
          this));
      if (stop_) return;
      flow = Next(&found);
      if (found) found_runs_ = true;
      Place& place = places_[flow];
      place.running = true;
      // A wake from now on is for the next pass: this one may have read the tables already.
      place.pending = false;
      place.woken = false;
    }
    const absl::StatusOr<PassResult> result = pass_.Run(flow);
    if (!result.ok()) {
      metrics_.failures.Increment();
      obs::LogWarn("router.pass_failed", "a routing pass failed; the next sweep tries again",
                   {{"flow", flow}, {"error", result.status()}});
    }
    absl::MutexLock lock(&mu_);
    Place& place = places_[flow];
    place.running = false;
    // To the end of the line: a flow with a long queue must not keep the others waiting.
    if (result.ok() && result->more) place.pending = place.woken = true;
    if (found) found_runs_ = false;
    if (place.pending) {
      (place.woken ? woken_ : found_).push_back(flow);
    } else {
      places_.erase(flow);
    }
  }
}

absl::Duration Dispatcher::Interval() const {
  return std::min(options_.sweep, std::max(kSoonestSweep, clock_.ToReal(absl::Minutes(1))));
}

void Dispatcher::RunSweeper() {
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      mu_.AwaitWithTimeout(absl::Condition(
                               +[](Dispatcher* d) ABSL_EXCLUSIVE_LOCKS_REQUIRED(d->mu_) {
                                 return d->stop_ || d->sweep_soon_;
                               },
                               this),
                           Interval());
      if (stop_) return;
      sweep_soon_ = false;
    }
    const absl::Status status = Sweep();
    absl::MutexLock lock(&mu_);
    if (!status.ok() && !failing_) {
      obs::LogWarn("router.sweep_failed", "the sweep failed and is tried again",
                   {{"error", status}});
    }
    failing_ = !status.ok();
    if (!status.ok()) {
      metrics_.failures.Increment();
    } else {
      swept_ = std::chrono::steady_clock::now();
    }
  }
}

absl::Status Dispatcher::Sweep() {
  // Queues are served also while returns fail; the sweep still counts as failed then.
  const absl::Status rehomed = rehome_.Run().status();
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<FlowQueue> flows,
      pg::InAutocommit(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<FlowQueue>> {
        return ReadFlowsToVisit(tx);
      }));
  int64_t queued = 0;
  std::optional<absl::Time> oldest;
  for (const FlowQueue& flow : flows) {
    queued += flow.queued;
    if (flow.oldest.has_value()) oldest = std::min(oldest.value_or(*flow.oldest), *flow.oldest);
    absl::MutexLock lock(&mu_);
    Add(flow.flow, /*woken=*/false);
  }
  metrics_.unassigned.Set(static_cast<double>(queued));
  metrics_.unassigned_oldest_seconds.Set(
      oldest.has_value() ? absl::ToDoubleSeconds(clock_.Now() - *oldest) : 0);
  return rehomed;
}

}  // namespace potok::router
