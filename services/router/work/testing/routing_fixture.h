// A small company on a real Postgres: one calendar, one SLA policy, and whatever flows and people a
// test adds.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

#include "desk/flow/flow.h"
#include "ledger/ledger.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/obs/metrics.h"
#include "platform/testing/stack.h"
#include "router/store/decision_reads.h"
#include "router/store/routing_store.h"
#include "router/store/team_store.h"
#include "router/work/pass.h"
#include "router/work/rehome.h"

namespace potok::router::testing {

std::string Uuid();

// Everything the router does runs as the role potok_router, so the grants of production hold here
// too.
class RoutingTest : public ::testing::Test {
 protected:
  RoutingTest();

  // Publishes a version; call it again with changes for the next one.
  void Publish(desk::Flow flow);
  static desk::Flow Draft(const std::string& id, desk::DistributionMode mode, int max_active = 3);

  // Makes employees of the names and members of the flow, all online.
  void Hire(const std::string& flow, const std::vector<std::string>& employees, int line = 1);
  void Say(const std::string& employee, const std::string& status);
  std::string Leave(const std::string& employee, absl::Time from, absl::Time to);

  std::string File(const std::string& flow);
  // Many at once, through the batcher.
  std::vector<std::string> FileMany(const std::string& flow, int count);

  static desk::Viewer Agent(const std::string& employee, const std::string& flow);
  desk::Command On(const std::string& ticket, desk::Viewer viewer, desk::Action action) const;
  absl::StatusOr<ledger::Outcome> Do(desk::Command command);
  void Start(const std::string& ticket);
  void Resolve(const std::string& ticket);  // By its holder; starts it when need be.

  desk::Ticket Get(const std::string& ticket);
  std::string Reason(const std::string& ticket);  // "" when none is stored.
  std::vector<FoundDecision> Decisions(const std::string& ticket);
  std::vector<std::string> Holders(const std::vector<std::string>& tickets);
  // Rows that break an invariant of the ledger, as text; "" when all hold and every queued ticket
  // has its reason.
  std::string Broken();

  // 2026-11-16 09:00 in Moscow, a Monday: the working day begins.
  FakeClock clock_{absl::FromUnixSeconds(1794808800)};
  ::potok::testing::TestDatabase database_;
  pg::Pool router_pool_;
  std::unique_ptr<ledger::Reference> reference_;
  std::unique_ptr<ledger::Ledger> intake_;  // What the other services write.
  obs::Metrics metrics_registry_;
  RouterMetrics metrics_{metrics_registry_};
  std::atomic<int> commits_{0};
  std::unique_ptr<Pass> pass_;
  std::unique_ptr<Rehome> rehome_;
};

}  // namespace potok::router::testing
