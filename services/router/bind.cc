#include "router/bind.h"

#include <memory>
#include <utility>

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/stream_names.h"
#include "ledger/foundation/consumer_meters.h"
#include "ledger/foundation/foundation.h"
#include "ledger/ledger.h"
#include "platform/log/wake.h"
#include "router/rpc/explain.h"
#include "router/rpc/moves.h"
#include "router/rpc/router_rpc.h"
#include "router/rpc/team.h"
#include "router/rpc/team_rpc.h"
#include "router/work/dispatcher.h"
#include "router/work/pass.h"
#include "router/work/queue_hints.h"
#include "router/work/rehome.h"
#include "router/work/wake_feed.h"

namespace potok::router {
namespace {

// Real time without a sweep after which the service is not what it promises to be.
constexpr absl::Duration kLateSweep = absl::Seconds(15);

// Members are destroyed in reverse: calls' targets first, then the feed and the loop it wakes, then
// the ledger, which finishes what is queued, then the relay's bell.
class Router final : public app::Bound {
 public:
  Router(app::Parts& parts, std::shared_ptr<ledger::Foundation> foundation)
      : foundation_(std::move(foundation)),
        relay_bell_(foundation_->BellFor(desk::kWakeChannel, parts.metrics)),
        queue_bell_(foundation_->BellFor(desk::kQueuedChannel, parts.metrics)),
        on_commit_([this] {
          if (relay_bell_ != nullptr) relay_bell_->Notify();
        }),
        metrics_(parts.metrics),
        ledger_(foundation_->loops(), foundation_->reference(), foundation_->clock(),
                ledger::LedgerOptionsOf(parts.config.ledger(), queue_bell_.get()), on_commit_),
        pass_(foundation_->loops(), foundation_->reference(), foundation_->clock(), metrics_,
              on_commit_),
        rehome_(foundation_->loops(), foundation_->reference(), foundation_->clock(), metrics_,
                on_commit_),
        dispatcher_(foundation_->loops(), foundation_->clock(), pass_, rehome_, metrics_, {}),
        // Group, topics and parts are the feed's own.
        feed_(FeedOptions(), foundation_->loops(), dispatcher_),
        feed_meters_(parts.metrics, "router", [this] { return feed_.Stats(); }),
        moves_({foundation_->calls(), ledger_, foundation_->reference(), foundation_->clock(),
                dispatcher_, parts.metrics, on_commit_}),
        explain_(foundation_->calls(), foundation_->reference(), parts.page_tokens,
                 foundation_->clock()),
        team_(foundation_->calls(), foundation_->reference(), parts.page_tokens,
              foundation_->clock(), dispatcher_),
        router_rpc_(parts.front, moves_, explain_),
        team_rpc_(parts.front, team_) {
    parts.server.Add<v1::RouterService>(&router_rpc_);
    parts.server.Add<v1::TeamService>(&team_rpc_);
    parts.AddReadiness("sweep", [this]() -> absl::Status {
      if (dispatcher_.SinceSweep() < kLateSweep) return absl::OkStatus();
      return absl::UnavailableError("no sweep of the queues has succeeded for a while");
    });
    // Called in reverse: nothing wakes the passes any more before they stop.
    parts.OnDrain([this] { dispatcher_.Stop(); });
    parts.OnDrain([this] { feed_.Stop(); });
    parts.OnDrain([this] { hints_.reset(); });
    dispatcher_.Start();
    feed_.Start();
    if (!foundation_->redis().address.empty()) {
      hints_ = std::make_unique<QueueHints>(
          foundation_->redis(), [this](int part) { return feed_.Owns(part); },
          foundation_->reference(), dispatcher_, foundation_->HooksFor(parts.metrics));
    }
  }

 private:
  log::ConsumerOptions FeedOptions() const {
    log::ConsumerOptions options = foundation_->ConsumerFor("", {});
    // New tickets come by the hints: by now most of them are given away, which is found out for
    // many at once. What only the log tells, a slot that became free or a step up, waits as long.
    options.pace = absl::Milliseconds(20);
    return options;
  }

  const std::shared_ptr<ledger::Foundation> foundation_;
  const std::unique_ptr<log::RemoteWake> relay_bell_;
  const std::unique_ptr<log::RemoteWake> queue_bell_;
  const std::function<void()> on_commit_;
  RouterMetrics metrics_;
  ledger::Ledger ledger_;
  Pass pass_;
  Rehome rehome_;
  Dispatcher dispatcher_;
  WakeFeed feed_;
  std::unique_ptr<QueueHints> hints_;
  const ledger::ConsumerMeters feed_meters_;
  const Moves moves_;
  const Explain explain_;
  const Team team_;
  RouterRpc router_rpc_;
  TeamRpc team_rpc_;
};

absl::StatusOr<std::unique_ptr<app::Bound>> Bind(app::Parts& parts) {
  POTOK_ASSIGN_OR_RETURN(std::shared_ptr<ledger::Foundation> foundation,
                         ledger::Foundation::Open(parts));
  return std::make_unique<Router>(parts, std::move(foundation));
}

}  // namespace

app::ServiceSpec Spec() { return ledger::SpecOf("router", Bind); }

}  // namespace potok::router
