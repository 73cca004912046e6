// Why the tickets of a flow wait: kept page by page, so that a pass costs the same however long the
// queue is.
//
// Each look takes the youngest page, where new tickets come in, and of a queue that does not fit
// into it one more page, further down each time and from the top again after the last. What changes
// in that page is a sign that more has changed, and the next look follows at once.
#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"

#include "desk/routing/facts.h"
#include "platform/pg/transaction.h"
#include "router/store/routing_store.h"

namespace potok::router {

// Where the next look at a flow goes on.
struct ReasonWalk {
  ReasonKey after;                  // among the reasons
  std::optional<absl::Time> until;  // among the tickets: those queued then or before
  // Where walks were left when a whole page of news came in above them, the latest last: below each
  // there may be more that nobody has explained.
  std::vector<absl::Time> left;
};

struct ReasonChanges {
  int written = 0;    // tickets whose reason changed
  bool more = false;  // look again at once
};

// `page` tickets at most are looked at together; `walk` moves on, which counts once `tx` commits.
ReasonChanges StoreReasons(pg::Tx& tx, const desk::FlowRouting& flow,
                           const std::vector<desk::Candidate>& candidates, absl::Time now, int page,
                           ReasonWalk* walk);

}  // namespace potok::router
