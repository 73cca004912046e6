#include "platform/app/loop.h"

#include <exception>
#include <pthread.h>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

#include "platform/obs/log.h"

namespace potok::app {
namespace {

using Steady = std::chrono::steady_clock;

constexpr char kTurnsHelp[] = "Turns of background loops, by outcome.";

}  // namespace

Loop::Loop(LoopOptions options, Turn turn, obs::Metrics& metrics)
    : options_(std::move(options)),
      turn_(std::move(turn)),
      good_(metrics.Counter("potok_loop_turns_total", kTurnsHelp,
                            {{"loop", options_.name}, {"outcome", "ok"}})),
      failed_(metrics.Counter("potok_loop_turns_total", kTurnsHelp,
                              {{"loop", options_.name}, {"outcome", "error"}})),
      last_good_(Steady::now().time_since_epoch().count()) {
  prometheus::Gauge& lag =
      metrics.Gauge("potok_loop_lag_seconds", "Time since the last good turn of a loop ended.",
                    {{"loop", options_.name}});
  lag_hook_ = metrics.BeforeScrape([this, &lag] {
    const auto since = Steady::now().time_since_epoch() - Steady::duration(last_good_.load());
    lag.Set(std::chrono::duration<double>(since).count());
  });
}

Loop::~Loop() { Stop(); }

void Loop::Start() {
  if (thread_.joinable() || stop_.stop_requested()) return;
  thread_ = std::thread([this] { Run(stop_.get_token()); });
  // The kernel keeps 15 characters; enough for `top -H` to tell the loops apart.
  pthread_setname_np(thread_.native_handle(), options_.name.substr(0, 15).c_str());
}

void Loop::RequestStop() {
  stop_.request_stop();
  wakeup_.Notify();
}

void Loop::Stop() {
  RequestStop();
  const std::lock_guard<std::mutex> lock(joining_);
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<absl::Duration> Loop::RunTurn(std::stop_token stop) {
  // The last resort: a loop that dies of an exception would take the process along.
  try {
    return turn_(std::move(stop));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("exception: ", error.what()));
  }
}

void Loop::Run(std::stop_token stop) {
  const obs::LogScope scope({options_.service, "", ""});
  absl::InsecureBitGen random;
  int failures = 0;
  while (!stop.stop_requested()) {
    const absl::StatusOr<absl::Duration> rest = RunTurn(stop);
    if (rest.ok()) {
      if (failures > 0) {
        obs::LogInfo("loop.recovered", "a loop works again",
                     {{"loop", options_.name}, {"failures", failures}});
      }
      failures = 0;
      good_.Increment();
      last_good_ = Steady::now().time_since_epoch().count();
      if (*rest > absl::ZeroDuration()) wakeup_.WaitFor(*rest, stop);
      continue;
    }
    ++failures;
    failed_.Increment();
    const absl::Duration pause =
        options_.backoff.Wait(failures, absl::Uniform<double>(random, 0.0, 1.0));
    if (!stop.stop_requested()) {
      obs::LogWarn("loop.failed", "a turn of a loop failed and will be repeated",
                   {{"loop", options_.name},
                    {"error", rest.status()},
                    {"failures", failures},
                    {"pause_ms", pause}});
    }
    // A ring means new work, not a healed database: it must not shorten the pause. Only a stop
    // does.
    Wakeup pause_only;
    pause_only.WaitFor(pause, stop);
  }
}

}  // namespace potok::app
