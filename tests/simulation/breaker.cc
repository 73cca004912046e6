#include "simulation/breaker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "notifier/domain/breaker.h"
#include "simulation/event_queue.h"
#include "simulation/random.h"
#include "simulation/trace.h"

namespace potok::simulation {
namespace {

constexpr std::int64_t kMostSteps = 200'000;

using notifier::Breaker;
using notifier::BreakerOptions;

BreakerOptions Planted(BreakerFlaw flaw) {
  BreakerOptions options;
  if (flaw == BreakerFlaw::kOpensLate) options.least_calls = 21;
  if (flaw == BreakerFlaw::kOpensEarly) options.failure_ratio = 0.4;
  if (flaw == BreakerFlaw::kRemembersLonger) options.window = absl::Seconds(40);
  if (flaw == BreakerFlaw::kProbesTooOften) options.probe_every = absl::Seconds(5);
  return options;
}

// What the breaker must be, from the list of all calls: closed until in some window of 30 s there
// were 20 calls or more and half of them failed; then open until a call succeeds.
class Memory {
 public:
  void Record(Micros now, bool healthy) {
    if (open_ && !healthy) return;
    if (open_) calls_.clear();
    open_ = false;
    calls_.push_back({now, healthy});
    int calls = 0, failures = 0;
    for (const auto& [at, well] : calls_) {
      if (at <= now - 30 * kSecond) continue;
      ++calls;
      failures += well ? 0 : 1;
    }
    open_ = calls >= 20 && 2 * failures >= calls;
    if (open_) opened_at_ = now;
  }
  bool open() const { return open_; }
  Micros opened_at() const { return opened_at_; }

 private:
  std::vector<std::pair<Micros, bool>> calls_;
  bool open_ = false;
  Micros opened_at_ = 0;
};

class BreakerWorld {
 public:
  BreakerWorld(std::uint64_t seed, BreakerFlaw flaw, bool tell)
      : flaw_(flaw), trace_(tell), random_(seed), breaker_(Planted(flaw)) {}

  BreakerResult Run();

 private:
  template <class... A>
  void Violate(const A&... parts) {
    if (!result_.violation) result_.violation = absl::StrCat(parts...);
  }
  absl::Duration Now() const { return absl::Microseconds(queue_.now()); }

  // DeliveryLoop::Turn
  void Turn(int worker);
  void Send(int worker, int left);
  void Record(bool healthy);
  void CheckProbe();

  const BreakerFlaw flaw_;
  const Trace trace_;
  Random random_;
  EventQueue queue_;
  Breaker breaker_;
  Memory memory_;
  double health_ = 1;  // share of sends that succeed
  int waiting_ = 0;    // deliveries in the queue
  Micros latency_ = 100 * kMillisecond;
  bool well_again_ = false;  // no faults any more
  Micros paused_until_ = 0;
  Micros last_probe_ = INT64_MIN / 2;
  Micros probe_before_ = INT64_MIN / 2;
  Breaker::Permit last_permit_;
  BreakerResult result_;
};

void BreakerWorld::Record(bool healthy) {
  const bool was_open = memory_.open();
  memory_.Record(queue_.now(), healthy);
  if (flaw_ != BreakerFlaw::kNeverCloses || !was_open) breaker_.Record(Now(), healthy);
  if (memory_.open() != was_open) {
    trace_.Say(queue_.now(), memory_.open() ? "opens" : "closes");
    result_.openings += memory_.open() ? 1 : 0;
    last_probe_ = memory_.opened_at();
  }
  if (breaker_.open() != memory_.open()) {
    Violate("the breaker is ", breaker_.open() ? "open" : "closed", " and should not be, at ",
            queue_.now() / kMillisecond, " ms");
  }
}

void BreakerWorld::Turn(int worker) {
  const auto next = [this, worker](Micros wait) {
    queue_.In(wait, [this, worker] { Turn(worker); });
  };
  Breaker::Permit permit = breaker_.Take(Now(), 10);
  if (flaw_ == BreakerFlaw::kIgnoresOpen && permit.sends == 0) permit.sends = 10;
  if (permit.sends == 0) {
    const absl::Duration wait = std::max(breaker_.Wait(Now()), absl::Milliseconds(10));
    if (wait > absl::Seconds(31)) Violate("a worker would wait for ", absl::FormatDuration(wait));
    return next(absl::ToInt64Microseconds(wait));
  }
  if (queue_.now() < paused_until_) Violate("sends while the provider asked for a rest");
  if (memory_.open()) {
    if (permit.sends != 1) Violate("an open breaker let ", permit.sends, " sends begin");
    if (queue_.now() - last_probe_ < 10 * kSecond) {
      Violate("a probe ", (queue_.now() - last_probe_) / kMillisecond, " ms after the one before");
    }
    probe_before_ = std::exchange(last_probe_, queue_.now());
    last_permit_ = permit;
    ++result_.probes;
  }
  const bool probing = memory_.open();
  // The claim takes a moment, in which others go on; a long one when the database hangs.
  const bool hangs = !well_again_ && random_.Chance(0.02);
  const Micros claiming = random_.Between(1, hangs ? 20'000 : 200) * kMillisecond;
  queue_.In(claiming, [this, worker, permit, probing, next] {
    const int claimed = std::min(permit.sends, waiting_);
    waiting_ -= claimed;
    if (claimed == 0) {
      breaker_.GiveBack(flaw_ == BreakerFlaw::kAnybodyFreesProbe ? last_permit_ : permit);
      if (probing && memory_.open() && last_permit_.probe == permit.probe &&
          last_probe_ > memory_.opened_at()) {
        last_probe_ = probe_before_;
      }
      return next(500 * kMillisecond);
    }
    Send(worker, claimed);
  });
}

void BreakerWorld::Send(int worker, int left) {
  queue_.In(random_.Between(1, 2 * latency_), [this, worker, left] {
    ++result_.sends;
    if (!well_again_ && random_.Chance(0.002)) {
      // 421: the provider asks for a rest.
      const absl::Duration until = Now() + absl::Seconds(30);
      breaker_.PauseUntil(until);
      paused_until_ = std::max(paused_until_, absl::ToInt64Microseconds(until));
    } else {
      Record(random_.Chance(health_));
    }
    // What is left of the claim goes back when sending may not go on.
    if (breaker_.Wait(Now()) > absl::ZeroDuration() && flaw_ != BreakerFlaw::kIgnoresOpen) {
      waiting_ += left - 1;
    } else if (left > 1) {
      return Send(worker, left - 1);
    }
    Turn(worker);
  });
}

BreakerResult BreakerWorld::Run() {
  const std::int64_t workers = random_.Between(1, 4);
  for (int worker = 0; worker < workers; ++worker) {
    queue_.In(random_.Below(kSecond), [this, worker] { Turn(worker); });
  }
  const Micros chaos = random_.Between(30, 150) * kSecond;
  for (std::int64_t left = random_.Between(1, 10); left > 0; --left) {
    queue_.In(random_.Below(chaos), [this] {
      const double healths[] = {0, 0, 0.4, 0.5, 0.55, 0.9, 1};
      health_ = healths[random_.Below(7)];
      latency_ = random_.Between(10, 2000) * kMillisecond;
      trace_.Say(queue_.now(), "the provider works in ", health_ * 100, " % of the calls");
    });
  }
  for (std::int64_t left = random_.Between(3, 25); left > 0; --left) {
    queue_.In(random_.Below(chaos),
              [this] { waiting_ += static_cast<int>(random_.Between(1, 30)); });
  }
  const auto until = [this](Micros end) {
    while (!result_.violation && queue_.Step(end)) {
      if (queue_.steps() > kMostSteps) Violate("goes round in circles");
    }
  };
  until(chaos);
  well_again_ = true;
  health_ = 1;
  latency_ = 20 * kMillisecond;
  // An open breaker can only find out by sending something.
  for (int i = 0; i < 6; ++i) {
    queue_.In(i * 10 * kSecond, [this] { waiting_ += 2; });
  }
  // A rest that was asked for, a probe, and the queue.
  until(chaos + 120 * kSecond);
  if (breaker_.open()) Violate("still open long after the provider is well");
  if (waiting_ > 0) Violate(waiting_, " deliveries still wait");
  return std::move(result_);
}

}  // namespace

BreakerResult RunBreaker(std::uint64_t seed, BreakerFlaw flaw, bool trace) {
  return BreakerWorld(seed, flaw, trace).Run();
}

}  // namespace potok::simulation
