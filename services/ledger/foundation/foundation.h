// What every service stands on: connections, business time, reference data, the hooks of the log
// transport.
//
// Services bound into one process share one Foundation (same database): one clock, one copy of the
// reference data, one set of pools. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "ledger/ledger.h"
#include "ledger/reference.h"
#include "platform/app/run_service.h"
#include "platform/clock/clock.h"
#include "platform/log/consumer.h"
#include "platform/log/wake.h"
#include "platform/pg/pool.h"
#include "platform/redis/redis.h"

namespace potok::ledger {

// A service of the suite, named and authorised like all the others.
app::ServiceSpec SpecOf(
    std::string name, std::function<absl::StatusOr<std::unique_ptr<app::Bound>>(app::Parts&)> bind);

// As the configuration says; tickets that come into their queues are told by `queue_bell`, which
// may be nullptr and outlives the ledger.
LedgerOptions LedgerOptionsOf(const config::v1::LedgerConfig& config, log::RemoteWake* queue_bell);

class Foundation {
 public:
  // Opens it for `parts`, or joins the one another service of this process has opened. Adds the
  // readiness check of the database to `parts`.
  static absl::StatusOr<std::shared_ptr<Foundation>> Open(app::Parts& parts);

  // For handlers of calls, and for loops: apart, so that a burst of calls cannot starve a timer.
  pg::Pool& calls() { return *calls_; }
  pg::Pool& loops() { return *loops_; }
  const Clock& clock() const { return *clock_; }
  Reference& reference() { return *reference_; }
  const redis::Options& redis() const { return redis_; }

  // Options of a consumer of this process, complete but for what only its owner knows
  // (after_commit, batch).
  log::ConsumerOptions ConsumerFor(const std::string& group, std::vector<int> topics) const;
  // Rings on `channel`; nullptr without Redis, where listeners have only their own polls.
  std::unique_ptr<log::RemoteWake> BellFor(const char* channel, obs::Metrics& metrics) const;
  // Failures and notices of the transport as log lines and metrics.
  log::Hooks HooksFor(obs::Metrics& metrics) const;
  const std::string& owner() const { return owner_; }

 private:
  Foundation() = default;

  std::unique_ptr<pg::Pool> calls_;
  std::unique_ptr<pg::Pool> loops_;
  std::unique_ptr<DbClock> clock_;
  std::unique_ptr<Reference> reference_;
  redis::Options redis_;
  log::Hooks hooks_;
  std::string owner_;
};

}  // namespace potok::ledger
