// How far a consumer group is and what holds it up, on the metrics page: one place, so that every
// group shows the same.
#pragma once

#include <functional>
#include <string>

#include "platform/log/consumer.h"
#include "platform/obs/metrics.h"

namespace potok::ledger {

class ConsumerMeters {
 public:
  // `stats` is asked right before each scrape, until this is gone; the consumer outlives it.
  ConsumerMeters(obs::Metrics& metrics, const std::string& group,
                 std::function<log::ConsumerStats()> stats);

 private:
  obs::Metrics::Hook hook_;
};

}  // namespace potok::ledger
