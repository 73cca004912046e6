// No orphans: work of people who left goes back to the front of its queue.
//
// Somebody left when an absence of theirs lasts now, when they are no member of the flow any more,
// or when they no longer work here. What they were working on (ASSIGNED, IN_PROGRESS) is released;
// WAITING tickets follow when they are resumed. Looks at the tables only, so it is right whatever
// was missed before.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/pool.h"
#include "router/store/routing_store.h"
#include "router/work/router_metrics.h"

namespace potok::router {

// Thread-safe; everything given outlives it.
class Rehome {
 public:
  static constexpr int kBatch = 50;  // Tickets released in one transaction.

  Rehome(pg::Pool& pool, ledger::Reference& reference, const Clock& clock, RouterMetrics& metrics,
         std::function<void()> on_commit);

  // Releases all there is now; the flows whose queues grew.
  absl::StatusOr<std::vector<std::string>> Run();

 private:
  // At most kBatch tickets of one agent in one flow; how many were released.
  absl::StatusOr<int> Release(const LeftHolder& holder);

  pg::Pool& pool_;
  ledger::Reference& reference_;
  const Clock& clock_;
  RouterMetrics& metrics_;
  const std::function<void()> on_commit_;
};

}  // namespace potok::router
