#include "intake/bind.h"

#include <memory>
#include <utility>

#include "base/status_macros.h"
#include "desk/stream_names.h"
#include "intake/domain/admission.h"
#include "intake/rpc/admin_rpc.h"
#include "intake/rpc/dead_letters.h"
#include "intake/rpc/directory.h"
#include "intake/rpc/directory_rpc.h"
#include "intake/rpc/flow_rpc.h"
#include "intake/rpc/flows.h"
#include "intake/rpc/intake_rpc.h"
#include "intake/store/list_tickets.h"
#include "intake/store/ticket_reads.h"
#include "intake/work/dead_letter_gauge.h"
#include "intake/work/forget_answers.h"
#include "intake/work/measure_admission.h"
#include "intake/work/watch_hub.h"
#include "ledger/foundation/foundation.h"
#include "ledger/ledger.h"
#include "platform/log/relay.h"

namespace potok::intake {
namespace {

AdmissionLimits AdmissionLimitsOf(const config::v1::LedgerConfig& config) {
  return {.soft_rows = config.outbox_soft_limit(),
          .hard_rows = config.outbox_hard_limit(),
          .lag = absl::Milliseconds(config.log_lag_limit_ms())};
}

log::RelayOptions RelayOptionsOf(const ledger::Foundation& foundation, obs::Metrics& metrics) {
  log::RelayOptions options;
  options.parts = desk::AllParts();
  options.owner = foundation.owner();
  options.stream_key = desk::EventStream;
  options.wake_channel = desk::kWakeChannel;
  options.redis = foundation.redis();
  options.hooks = foundation.HooksFor(metrics);
  // Nobody waits for the log: routers are told of new tickets directly.
  options.pace = absl::Milliseconds(20);
  return options;
}

// Members are destroyed in reverse: calls' targets first, then the ledger, which finishes what is
// queued, then those its commits wake, and the connections last.
class Intake final : public app::Bound {
 public:
  Intake(app::Parts& parts, std::shared_ptr<ledger::Foundation> foundation)
      : foundation_(std::move(foundation)),
        queue_bell_(foundation_->BellFor(desk::kQueuedChannel, parts.metrics)),
        relay_(RelayOptionsOf(*foundation_, parts.metrics), foundation_->loops()),
        hub_reads_(foundation_->loops()),
        hub_(hub_reads_),
        ledger_(foundation_->loops(), foundation_->reference(), foundation_->clock(),
                ledger::LedgerOptionsOf(parts.config.ledger(), queue_bell_.get()),
                [this] {
                  relay_.Notify();
                  hub_.Wake();
                }),
        admission_(AdmissionLimitsOf(parts.config.ledger())),
        reads_(foundation_->calls()),
        lists_(foundation_->calls()),
        flows_(foundation_->calls(), foundation_->reference(), parts.page_tokens,
               foundation_->clock()),
        directory_(foundation_->calls(), foundation_->reference(), parts.page_tokens,
                   foundation_->clock()),
        intake_rpc_({parts.front, ledger_, admission_, foundation_->reference(), reads_, lists_,
                     hub_, parts.page_tokens, foundation_->clock()}),
        flow_rpc_(parts.front, flows_),
        directory_rpc_(parts.front, directory_),
        letters_(foundation_->calls(), parts.page_tokens, foundation_->clock(), parts.metrics),
        letter_counts_(foundation_->loops()),
        admin_rpc_(parts.front, foundation_->calls(), foundation_->reference(), parts.page_tokens,
                   letters_, admission_) {
    parts.server.Add<v1::IntakeService>(&intake_rpc_);
    parts.server.Add<v1::FlowService>(&flow_rpc_);
    parts.server.Add<v1::DirectoryService>(&directory_rpc_);
    parts.server.Add<admin::v1::AdminService>(&admin_rpc_);
    parts.AddLoop("forget-answers", [this](std::stop_token stop) {
      return ForgetAnswers(foundation_->loops(), stop);
    });
    parts.AddLoop("admission", [this](std::stop_token) {
      return MeasureAdmission(foundation_->loops(), admission_);
    });
    parts.AddLoop("dead-letters", [this, &metrics = parts.metrics](std::stop_token) {
      return MeasureDeadLetters(letter_counts_, metrics);
    });
    AddMetrics(parts.metrics);
    // What is committed from here on is relayed by whoever takes the leases.
    parts.OnDrain([this] { relay_.Stop(); });
    relay_.Start();
  }

 private:
  void AddMetrics(obs::Metrics& metrics) {
    auto& queued = metrics.Gauge("potok_ledger_queued", "Commands that wait for an executor.");
    auto& commands =
        metrics.Gauge("potok_ledger_commands", "Commands committed or refused since the start.");
    auto& batches =
        metrics.Gauge("potok_ledger_batches", "Transactions of commands since the start.");
    auto& fallbacks = metrics.Gauge("potok_ledger_fallbacks",
                                    "Batches that had to be retried one by one since the start.");
    auto& backlog =
        metrics.Gauge("potok_outbox_rows", "Outbox rows of this relay's parts at its last look.");
    auto& oldest =
        metrics.Gauge("potok_outbox_oldest_seconds", "Age of the oldest of them in real seconds.");
    auto& redis_up = metrics.Gauge("potok_relay_redis_up", "1 when the relay reaches Redis.");
    auto& admission = metrics.Gauge(
        "potok_admission_state",
        "What new requests are taken: 0 all, 1 not those of low priority or in bulk, 2 none.");
    auto& put_off = metrics.Gauge("potok_admission_put_off",
                                  "New requests put off by back-pressure since the start.");
    auto& all_rows = metrics.Gauge("potok_admission_outbox_rows",
                                   "Outbox rows of all parts at the last measurement.");
    auto& lag = metrics.Gauge("potok_admission_log_lag_seconds",
                              "Age of the oldest event not handled by every group.");
    auto& watching = metrics.Gauge("potok_tickets_watched", "Open WatchTicket streams.");
    scrape_ = metrics.BeforeScrape([&, this] {
      const ledger::LedgerStats ledger = ledger_.Stats();
      queued.Set(ledger.queued);
      commands.Set(static_cast<double>(ledger.commands));
      batches.Set(static_cast<double>(ledger.batches));
      fallbacks.Set(static_cast<double>(ledger.fallbacks));
      const log::RelayStats relay = relay_.Stats();
      backlog.Set(static_cast<double>(relay.backlog));
      oldest.Set(absl::ToDoubleSeconds(relay.oldest));
      redis_up.Set(relay.redis_up ? 1 : 0);
      const Admission::View seen = admission_.Now();
      admission.Set(static_cast<int>(seen.state));
      put_off.Set(static_cast<double>(admission_.put_off()));
      all_rows.Set(static_cast<double>(seen.facts.outbox_rows));
      lag.Set(absl::ToDoubleSeconds(seen.facts.log_lag));
      watching.Set(hub_.watching());
    });
  }

  const std::shared_ptr<ledger::Foundation> foundation_;
  const std::unique_ptr<log::RemoteWake> queue_bell_;
  log::Relay relay_;
  const TicketReads
      hub_reads_;  // Apart from reads_: the hub looks ten times a second whatever calls do.
  WatchHub hub_;
  ledger::Ledger ledger_;
  Admission admission_;
  const TicketReads reads_;
  const TicketLists lists_;
  const Flows flows_;
  const Directory directory_;
  IntakeRpc intake_rpc_;
  FlowRpc flow_rpc_;
  DirectoryRpc directory_rpc_;
  const DeadLetters letters_;
  const DeadLetterStore letter_counts_;  // Apart from letters_: it is a loop's.
  AdminRpc admin_rpc_;
  obs::Metrics::Hook scrape_;
};

absl::StatusOr<std::unique_ptr<app::Bound>> Bind(app::Parts& parts) {
  POTOK_ASSIGN_OR_RETURN(std::shared_ptr<ledger::Foundation> foundation,
                         ledger::Foundation::Open(parts));
  return std::make_unique<Intake>(parts, std::move(foundation));
}

}  // namespace

app::ServiceSpec Spec() { return ledger::SpecOf("intake", Bind); }

}  // namespace potok::intake
