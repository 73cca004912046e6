#include "router/work/queue_reasons.h"

#include "router/domain/team_facts.h"

namespace potok::router {

ReasonChanges StoreReasons(pg::Tx& tx, const desk::FlowRouting& flow,
                           const std::vector<desk::Candidate>& candidates, absl::Time now, int page,
                           ReasonWalk* walk) {
  ReasonChanges changes;
  struct Look {
    ReasonPage found;
    int written = 0;
  };
  const auto look = [&](std::optional<absl::Time> until) {
    Look here{.found = ReadReasonPage(tx, flow.flow, walk->after, until, page)};
    walk->after = here.found.reasons < page ? ReasonKey() : here.found.last;
    if (!here.found.profiles.empty()) {
      here.written = WriteReasons(tx, flow.flow, here.found.profiles,
                                  ReasonsOf(here.found.profiles, flow, candidates, now), now,
                                  {.from = here.found.oldest, .until = until});
    }
    changes.written += here.written;
    return here;
  };
  const Look young = look(std::nullopt);
  changes.more = young.found.dropped > 0 && young.found.reasons == page;
  if (young.found.tickets < page) {
    walk->until.reset();
    walk->left.clear();
    return changes;
  }
  // A whole page of news goes on below, and where the last walk was comes after it.
  if (young.written == young.found.tickets || !walk->until) {
    if (walk->until && *walk->until < young.found.oldest) walk->left.push_back(*walk->until);
    walk->until = young.found.oldest;
  }
  const Look further = look(walk->until);
  changes.more = changes.more || further.written > 0 || further.found.dropped > 0;
  if (further.found.tickets < page) {
    walk->until.reset();
    walk->left.clear();
  } else if (further.found.oldest < *walk->until) {
    walk->until = further.found.oldest;
  } else {
    // More of one instant than a page holds: written for all of them already, so that nothing
    // changes here says nothing about what is below.
    walk->until = *walk->until - absl::Microseconds(1);
    changes.more = true;
  }
  // Explained already: on to what was left below.
  while (walk->until && further.written == 0 && !walk->left.empty()) {
    const absl::Time below = walk->left.back();
    walk->left.pop_back();
    if (below < *walk->until) {
      walk->until = below;
      changes.more = true;
      break;
    }
  }
  return changes;
}

}  // namespace potok::router
