#include "router/work/router_metrics.h"

namespace potok::router {

RouterMetrics::RouterMetrics(obs::Metrics& metrics)
    : decision_seconds(
          metrics.Histogram("potok_router_decision_seconds",
                            "Time of one routing pass, from its first lock to its commit.")),
      unassigned(metrics.Gauge("potok_router_unassigned",
                               "Tickets in the queues of all flows, counted 15 s ago at most.")),
      unassigned_oldest_seconds(
          metrics.Gauge("potok_router_unassigned_oldest_seconds",
                        "Business time the oldest queued ticket waits so far.")),
      no_candidate(metrics.Counter("potok_router_no_candidate_total",
                                   "Times a queued ticket got a new reason why nobody takes it.")),
      rehomed(
          metrics.Counter("potok_router_rehomed_total",
                          "Tickets taken back from agents who left, to the front of the queue.")),
      failures(metrics.Counter("potok_router_pass_failures_total",
                               "Passes and sweeps that failed; the next sweep tries again.")),
      metrics_(metrics) {}

void RouterMetrics::Assigned(const std::string& strategy, int count) {
  if (count == 0) return;
  metrics_
      .Counter("potok_router_assignments_total", "Tickets that got a holder, by how.",
               {{"strategy", strategy}})
      .Increment(count);
}

}  // namespace potok::router
