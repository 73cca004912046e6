// The figures of the routing loop. Thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "platform/obs/metrics.h"

namespace potok::router {

struct RouterMetrics {
  explicit RouterMetrics(obs::Metrics& metrics);

  // Counts an assignment that was made; `strategy` as in the event, such as "round_robin".
  void Assigned(const std::string& strategy, int count);

  prometheus::Histogram& decision_seconds;  // One pass, from the first lock to the commit.
  prometheus::Gauge& unassigned;
  prometheus::Gauge& unassigned_oldest_seconds;  // Of business time.
  prometheus::Counter& no_candidate;
  prometheus::Counter& rehomed;
  prometheus::Counter& failures;

 private:
  obs::Metrics& metrics_;
};

}  // namespace potok::router
