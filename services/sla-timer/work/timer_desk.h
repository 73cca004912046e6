// A desk in a database of its own, whose business time stands still until the test moves it. For
// tests.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

#include "ledger/ledger.h"
#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/obs/metrics.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"
#include "sla-timer/work/timer_loop.h"

namespace potok::sla_timer {

// "2026-03-16 10:00" by the wall clock of Moscow.
absl::Time Moscow(absl::string_view wall);

// Flow "it": policy "standard" (calendar "ru": 2 working days, first answer in 4 hours; after a
// breach the manager is told at once and the next line has it 4 hours later). Flow "fast": policy
// "hourly" (around the clock, 1 hour).
class TimerDesk : public ::testing::Test {
 protected:
  // Monday morning of an ordinary week.
  explicit TimerDesk(absl::Time start = Moscow("2026-03-16 10:00"));

  // Business time of the database and of `clock_`, together.
  void Advance(absl::Duration by) { SetTime(clock_.Now() + by); }
  void SetTime(absl::Time now) {
    clock_.SetTime(now);
    SetOrigin(now, kStandingStill);
  }
  void SetOrigin(absl::Time business, double scale);

  std::unique_ptr<TimerLoop> MakeLoop(TimerLoopOptions options = {});
  // A loop that owns all parts.
  std::unique_ptr<TimerLoop> MakeOwner(TimerLoopOptions options = {});
  // Turns until there is nothing to do but wait, having looked at the rows at least once.
  void Drain(TimerLoop& loop);

  static desk::Viewer Person(const std::string& employee);
  static desk::Viewer Agent();
  static std::string Uuid();
  absl::StatusOr<ledger::Outcome> Do(desk::Command command);
  std::string File(const std::string& flow = "it");
  void Act(const std::string& ticket, desk::Viewer viewer, desk::Action action);
  // Assigned to agent1 and started: the first answer is given.
  std::string Started(const std::string& flow = "it");

  // The types of its events, in order.
  std::string Events(const std::string& ticket);
  // Rows of a table of the ledger: "sla_fired WHERE kind = 'half'".
  std::string Count(const std::string& what);
  absl::Time DueOf(const std::string& ticket, const std::string& kind);
  // The invariants that timers could break.
  void ExpectSound();

  static constexpr double kStandingStill = 1e-6;  // Business seconds a real second.

  testing::TestDatabase database_;
  FakeClock clock_;
  obs::Metrics metrics_;
  std::unique_ptr<pg::Pool> service_pool_;
  std::unique_ptr<ledger::Reference> reference_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::atomic<int> commits_{0};
  uint64_t filed_ = 0;
  int owners_ = 0;
};

}  // namespace potok::sla_timer
