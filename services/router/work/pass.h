// One look at the queue of one flow: who gets what, and why the rest waits.
//
// A pass is one transaction under the lock on the flow's ring. It takes what is queued now, in the
// policy's order, gives it to those who have room under the locks on their load rows, and stores
// each decision with everything it was made from. Only the rows of those it means to choose are
// locked; when the locks show that it has to choose others, it begins again and locks all who could
// be chosen. So it does when escalations wait to be moved. It reads the tables and nothing else, so
// any number of passes at any time, from any replica, only ever repeats what still has to be done.
// Lock order: ring, agents ascending, tickets ascending.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/pg/transaction.h"
#include "router/work/queue_reasons.h"
#include "router/work/router_metrics.h"

namespace potok::router {

struct PassResult {
  int assigned = 0;
  int moved = 0;           // To another line.
  int reasons = 0;         // Queued tickets whose reason changed.
  bool explained = false;  // The reasons of those that wait were looked at.
  bool more = false;  // The batch was full, or a page of a long queue changed: run again at once.
};

// Thread-safe; everything given outlives it.
class Pass {
 public:
  // Most tickets of one pass: amortises a commit without holding agents for long.
  static constexpr int kBatch = 50;

  // Most waiting tickets whose reasons are looked at together, which takes a millisecond; shorter
  // queues are looked at whole. With 2000, ten queues of that length kept both cores busy for a
  // fifth of each second, and what was filed meanwhile waited as long.
  static constexpr int kReasonPage = 200;

  // `on_commit` wakes the relay after a commit that appended events.
  Pass(pg::Pool& pool, ledger::Reference& reference, const Clock& clock, RouterMetrics& metrics,
       std::function<void()> on_commit, int reason_page = kReasonPage);

  // `thorough`: also looks for tickets that wait without a reason where a pass does not come by,
  // which reads much of a long queue: for a sweep.
  absl::StatusOr<PassResult> Run(const std::string& flow, bool thorough = false);

  // Passes until one finds nothing more to give; the sum of them.
  absl::StatusOr<PassResult> Drain(const std::string& flow);

 private:
  class InTx;

  pg::Pool& pool_;
  ledger::Reference& reference_;
  const Clock& clock_;
  RouterMetrics& metrics_;
  const std::function<void()> on_commit_;
  const int reason_page_;
  absl::Mutex mu_;
  std::map<std::string, ReasonWalk> walks_ ABSL_GUARDED_BY(mu_);  // by flow
};

}  // namespace potok::router
