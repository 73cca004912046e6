#include "router/work/queue_reasons.h"

#include "router/domain/team_facts.h"

namespace potok::router {
namespace {

// More walks are left by bursts without end, and what is below the first of them has time.
constexpr size_t kMostLeft = 100;

// The look at one flow in one pass.
class Look {
 public:
  Look(pg::Tx& tx, const desk::FlowRouting& flow, const std::vector<desk::Candidate>& candidates,
       absl::Time now, int page, ReasonWalk* walk)
      : tx_(tx), flow_(flow), candidates_(candidates), now_(now), page_(page), walk_(*walk) {}

  ReasonChanges Run(const ReasonSearch& search) {
    const Page young = Explain(std::nullopt);
    changes_.more = young.found.dropped > 0 && young.found.reasons == page_;
    if (young.found.tickets < page_) {
      // All that waits has just been explained.
      walk_ = {.after = walk_.after};
      return changes_;
    }
    // A whole page of news goes on below, and where the walk was comes after it.
    if (young.written == young.found.tickets || !walk_.until) {
      if (walk_.until && *walk_.until < young.found.oldest) walk_.left.push_back(*walk_.until);
      if (walk_.left.size() > kMostLeft) walk_.left.erase(walk_.left.begin());
      walk_.until = young.found.oldest;
    }
    WalkOn();
    Search(search);
    return changes_;
  }

 private:
  struct Page {
    ReasonPage found;
    int written = 0;
  };

  Page Explain(std::optional<absl::Time> until) {
    Page here{.found = ReadReasonPage(tx_, flow_.flow, walk_.after, until, page_)};
    walk_.after = here.found.reasons < page_ ? ReasonKey() : here.found.last;
    if (!here.found.profiles.empty()) {
      here.written = WriteReasons(tx_, flow_.flow, here.found.profiles,
                                  ReasonsOf(here.found.profiles, flow_, candidates_, now_), now_,
                                  {.from = here.found.oldest, .until = until});
    }
    changes_.written += here.written;
    return here;
  }

  // Where to go on below a full page that was explained from `until` down. More of one instant
  // than it holds were written all, so that what is next is below that instant.
  static absl::Time Below(const Page& page, absl::Time until) {
    return page.found.oldest < until ? page.found.oldest : until - absl::Microseconds(1);
  }

  void WalkOn() {
    const absl::Time from = *walk_.until;
    const Page further = Explain(from);
    changes_.more = changes_.more || further.written > 0 || further.found.dropped > 0;
    if (further.found.tickets < page_) {
      walk_.until.reset();
      walk_.left.clear();
      return;
    }
    walk_.until = Below(further, from);
    // Nothing changed here, which says nothing about what is below.
    if (further.found.oldest == from) changes_.more = true;
    // Up to date already: on to what was left below.
    while (further.written == 0 && !walk_.left.empty()) {
      const absl::Time below = walk_.left.back();
      walk_.left.pop_back();
      if (below >= *walk_.until) continue;
      walk_.until = below;
      changes_.more = true;
      return;
    }
  }

  void Search(const ReasonSearch& how) {
    ReasonWalk::Search& search = walk_.search;
    if (!how.step && !(search.began && search.found)) return;
    if (!search.began) {
      search.began = now_;
      search.until.reset();
    }
    const Unexplained found =
        ReadUnexplained(tx_, flow_.flow, search.until, search.settled, kPagesSearched * page_);
    bool ended = found.tickets < kPagesSearched * page_;
    search.found = false;
    if (found.youngest.has_value()) {
      const Page page = Explain(found.youngest);
      // What cannot be explained is about to be assigned: nobody need hurry for it.
      search.found = page.written > 0;
      changes_.more = changes_.more || search.found;
      ended = page.found.tickets < page_;
      if (!ended) search.until = Below(page, *found.youngest);
    } else if (!ended) {
      search.until = found.oldest < search.until.value_or(absl::InfiniteFuture())
                         ? *found.oldest
                         : *search.until - absl::Microseconds(1);
    }
    if (!ended) return;
    search.settled = *search.began - how.longest_filing;
    search.began.reset();
  }

  pg::Tx& tx_;
  const desk::FlowRouting& flow_;
  const std::vector<desk::Candidate>& candidates_;
  const absl::Time now_;
  const int page_;
  ReasonWalk& walk_;
  ReasonChanges changes_;
};

}  // namespace

ReasonChanges StoreReasons(pg::Tx& tx, const desk::FlowRouting& flow,
                           const std::vector<desk::Candidate>& candidates, absl::Time now, int page,
                           const ReasonSearch& search, ReasonWalk* walk) {
  return Look(tx, flow, candidates, now, page, walk).Run(search);
}

}  // namespace potok::router
