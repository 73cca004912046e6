// Why the tickets of a flow wait: kept page by page, so that a pass costs the same however long the
// queue is.
//
// Each look takes the youngest page, where new tickets come in, and of a queue that does not fit
// into it one more page, further down each time and from the top again after the last. What changes
// in that page is a sign that more has changed, and the next look follows at once.
//
// That walk is a page a sweep where nothing changes, and tickets may appear above where it is: by a
// burst of more than a page, or because they are committed after others that were queued later. So
// those without a reason are sought as well, over many pages at a time.
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
  // Where walks were left when a whole page of news came in above them, the latest last: below
  // each, what was changing for all is still to change.
  std::vector<absl::Time> left;

  // The search for tickets without a reason, from the top down.
  struct Search {
    std::optional<absl::Time> began;  // while it is under way
    bool found = false;               // something in its last step
    std::optional<absl::Time> until;
    // What was queued before has been searched to the end, and can have got no company since.
    std::optional<absl::Time> settled;
  };
  Search search;
};

// How to search for tickets without a reason.
struct ReasonSearch {
  // Take a step, the first one where none is under way; else only one that has just found something
  // goes on.
  bool step = false;
  // A ticket is committed no longer than that after it was queued, in business time.
  absl::Duration longest_filing;
};

struct ReasonChanges {
  int written = 0;    // tickets whose reason changed
  bool more = false;  // look again at once
};

// A step of a search looks at so many pages of tickets at once, an index entry each: with pages of
// 200 it takes 5 to 10 ms.
constexpr int kPagesSearched = 25;

// `page` tickets at most are looked at together; `walk` moves on, which counts once `tx` commits.
ReasonChanges StoreReasons(pg::Tx& tx, const desk::FlowRouting& flow,
                           const std::vector<desk::Candidate>& candidates, absl::Time now, int page,
                           const ReasonSearch& search, ReasonWalk* walk);

}  // namespace potok::router
