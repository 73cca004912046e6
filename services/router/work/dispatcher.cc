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

// On a scaled clock. Each sweep visits every flow in which somebody waits: twenty a second were a
// tenth of the database.
constexpr absl::Duration kSoonestSweep = absl::Milliseconds(200);

// A count of what waits is followed by so many times its length without one: it takes 40 ms of
// 240 000. A count that waited for a slow database says little about the next one.
constexpr int kCountPause = 50;
constexpr std::chrono::seconds kLongestCountPause{15};

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
  order_.Add(flow, /*woken=*/true);
}

void Dispatcher::SweepSoon() {
  absl::MutexLock lock(&mu_);
  sweep_soon_ = true;
}

void Dispatcher::WaitIdle() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(
      +[](Dispatcher* d) ABSL_EXCLUSIVE_LOCKS_REQUIRED(d->mu_) { return d->order_.idle(); }, this));
}

absl::Duration Dispatcher::SinceSweep() const {
  absl::MutexLock lock(&mu_);
  return absl::FromChrono(std::chrono::steady_clock::now() - swept_);
}

void Dispatcher::RunWorker() {
  while (true) {
    FlowOrder::Turn turn;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(
          +[](Dispatcher* d)
               ABSL_EXCLUSIVE_LOCKS_REQUIRED(d->mu_) { return d->stop_ || d->order_.ready(); },
          this));
      if (stop_) return;
      turn = order_.Next();
    }
    const absl::StatusOr<PassResult> result = pass_.Run(turn.flow, /*thorough=*/turn.swept);
    if (!result.ok()) {
      metrics_.failures.Increment();
      obs::LogWarn("router.pass_failed", "a routing pass failed; the next sweep tries again",
                   {{"flow", turn.flow}, {"error", result.status()}});
    }
    absl::MutexLock lock(&mu_);
    order_.Done(turn, result.ok() && result->more, !result.ok() || !result->explained);
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
  std::optional<absl::Time> oldest;
  for (const FlowQueue& flow : flows) {
    if (flow.oldest.has_value()) oldest = std::min(oldest.value_or(*flow.oldest), *flow.oldest);
    absl::MutexLock lock(&mu_);
    order_.Add(flow.flow, /*woken=*/false);
  }
  metrics_.unassigned_oldest_seconds.Set(
      oldest.has_value() ? absl::ToDoubleSeconds(clock_.Now() - *oldest) : 0);
  CountWhatWaits();
  return rehomed;
}

void Dispatcher::CountWhatWaits() {
  absl::MutexLock one_at_a_time(&count_mu_);
  const auto started = std::chrono::steady_clock::now();
  if (started < next_count_) return;
  const absl::StatusOr<int64_t> waiting = pg::InAutocommit(
      pool_, {}, [](pg::Tx& tx) -> absl::StatusOr<int64_t> { return CountWaiting(tx); });
  const auto ended = std::chrono::steady_clock::now();
  next_count_ = ended + std::min<std::chrono::steady_clock::duration>(
                            kCountPause * (ended - started), kLongestCountPause);
  if (waiting.ok()) {
    metrics_.unassigned.Set(static_cast<double>(*waiting));
  } else {
    // No sweep fails for a metric: every flow has been visited.
    obs::LogWarn("router.count_failed", "what waits could not be counted; the metric is old",
                 {{"error", waiting.status()}});
  }
}

}  // namespace potok::router
