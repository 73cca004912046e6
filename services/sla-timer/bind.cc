#include "sla-timer/bind.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "desk/stream_names.h"
#include "ledger/foundation/consumer_meters.h"
#include "ledger/foundation/foundation.h"
#include "platform/log/consumer.h"
#include "platform/log/wake.h"
#include "sla-timer/rpc/calendars.h"
#include "sla-timer/rpc/clocks.h"
#include "sla-timer/rpc/policies.h"
#include "sla-timer/rpc/sla_timer_rpc.h"
#include "sla-timer/work/timer_loop.h"

namespace potok::sla_timer {
namespace {

TimerLoopOptions LoopOptionsOf(const ledger::Foundation& foundation, obs::Metrics& metrics) {
  TimerLoopOptions options;
  options.owner = foundation.owner();
  options.hooks = foundation.HooksFor(metrics);
  return options;
}

// Members are destroyed in reverse: the hints stop first, then the timers, then the relay's bell.
class SlaTimer final : public app::Bound {
 public:
  SlaTimer(app::Parts& parts, std::shared_ptr<ledger::Foundation> foundation)
      : foundation_(std::move(foundation)),
        relay_bell_(foundation_->BellFor(desk::kWakeChannel, parts.metrics)),
        timers_(LoopOptionsOf(*foundation_, parts.metrics), foundation_->loops(),
                foundation_->reference(), foundation_->clock(), parts.metrics,
                [this] {
                  if (relay_bell_) relay_bell_->Notify();
                }),
        calendars_(foundation_->calls(), foundation_->reference(), parts.page_tokens,
                   foundation_->clock()),
        policies_(foundation_->calls(), foundation_->reference(), parts.page_tokens,
                  foundation_->clock()),
        clocks_(foundation_->calls(), foundation_->reference(), parts.page_tokens,
                foundation_->clock()),
        calendar_rpc_(parts.front, calendars_),
        policy_rpc_(parts.front, policies_),
        timer_rpc_(parts.front, clocks_) {
    parts.server.Add<v1::CalendarService>(&calendar_rpc_);
    parts.server.Add<v1::SlaPolicyService>(&policy_rpc_);
    parts.server.Add<v1::SlaTimerService>(&timer_rpc_);
    app::Loop& loop =
        parts.AddLoop("sla-timers", [this](std::stop_token) { return timers_.Turn(); });
    // Every event may have armed or moved a timer of its ticket: these rows are read.
    log::ConsumerOptions hints = foundation_->ConsumerFor("sla", {1, 2, 3});
    hints.pace = absl::Milliseconds(20);
    hints.after_commit = [this, &loop](const std::vector<log::LogEntry>& entries) {
      std::vector<std::pair<int, std::string>> tickets;
      for (const log::LogEntry& entry : entries) tickets.emplace_back(entry.part, entry.entity);
      timers_.Changed(tickets);
      loop.Wake();
    };
    hints_ = std::make_unique<log::Consumer>(
        std::move(hints), foundation_->loops(),
        [](pg::Tx&, const std::vector<log::LogEntry>&) { return absl::OkStatus(); });
    hint_meters_.emplace(parts.metrics, "sla", [this] { return hints_->Stats(); });
    // Called in reverse: the leases go last, when nothing is done under them.
    parts.OnDrain([this, &loop] {
      loop.Stop();
      timers_.leases().Stop();
    });
    parts.OnDrain([this] { hints_->Stop(); });
    timers_.leases().Start();
    hints_->Start();
  }

 private:
  const std::shared_ptr<ledger::Foundation> foundation_;
  const std::unique_ptr<log::RemoteWake> relay_bell_;
  TimerLoop timers_;
  const Calendars calendars_;
  const Policies policies_;
  const Clocks clocks_;
  CalendarRpc calendar_rpc_;
  SlaPolicyRpc policy_rpc_;
  SlaTimerRpc timer_rpc_;
  std::unique_ptr<log::Consumer> hints_;
  std::optional<ledger::ConsumerMeters> hint_meters_;
};

absl::StatusOr<std::unique_ptr<app::Bound>> Bind(app::Parts& parts) {
  POTOK_ASSIGN_OR_RETURN(std::shared_ptr<ledger::Foundation> foundation,
                         ledger::Foundation::Open(parts));
  return std::make_unique<SlaTimer>(parts, std::move(foundation));
}

}  // namespace

app::ServiceSpec Spec() { return ledger::SpecOf("sla-timer", Bind); }

}  // namespace potok::sla_timer
