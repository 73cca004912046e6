#include "analytics/bind.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"

#include "analytics/rpc/analytics_rpc.h"
#include "analytics/store/board_store.h"
#include "base/status_macros.h"
#include "ledger/foundation/consumer_meters.h"
#include "ledger/foundation/foundation.h"
#include "platform/log/consumer.h"

namespace potok::analytics {
namespace {

class Analytics final : public app::Bound {
 public:
  Analytics(app::Parts& parts, std::shared_ptr<ledger::Foundation> foundation)
      : foundation_(std::move(foundation)),
        consumer_(ConsumerOptionsOf(), foundation_->loops(),
                  [](pg::Tx& tx, const std::vector<log::LogEntry>& entries) {
                    ApplyContributions(tx, entries);
                    return absl::OkStatus();
                  }),
        rpc_(parts.front, foundation_->calls(), foundation_->reference(), foundation_->clock(),
             parts.page_tokens),
        consumer_meters_(parts.metrics, "analytics", [this] { return consumer_.Stats(); }) {
    parts.server.Add<v1::AnalyticsService>(&rpc_);
    parts.OnDrain([this] { consumer_.Stop(); });
    consumer_.Start();
  }

 private:
  log::ConsumerOptions ConsumerOptionsOf() const {
    log::ConsumerOptions options = foundation_->ConsumerFor("analytics", {1, 2, 3});
    // Nobody reads counters faster; and of what happens to one ticket within a batch only the last
    // is counted, as with a request that is given to somebody at once.
    options.batch = 200;
    options.pace = absl::Milliseconds(200);
    return options;
  }

  const std::shared_ptr<ledger::Foundation> foundation_;
  log::Consumer consumer_;
  AnalyticsRpc rpc_;
  const ledger::ConsumerMeters consumer_meters_;
};

}  // namespace

app::ServiceSpec Spec() {
  return ledger::SpecOf("analytics",
                        [](app::Parts& parts) -> absl::StatusOr<std::unique_ptr<app::Bound>> {
                          POTOK_ASSIGN_OR_RETURN(std::shared_ptr<ledger::Foundation> foundation,
                                                 ledger::Foundation::Open(parts));
                          return std::make_unique<Analytics>(parts, std::move(foundation));
                        });
}

}  // namespace potok::analytics
