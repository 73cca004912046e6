// The pure cores of single services: timers, routing, breaker.
#include <cstdio>
#include <string>

#include "gtest/gtest.h"

#include "simulation/breaker.h"
#include "simulation/routing.h"
#include "simulation/schedules.h"
#include "simulation/timers.h"

namespace potok::simulation {
namespace {

template <class Kind>
struct Planted {
  Kind flaw;
  const char* name;
};
template <class Kind>
void PrintTo(const Planted<Kind>& planted, std::ostream* out) {
  *out << planted.name;
}
const auto kName = [](const auto& info) { return std::string(info.param.name); };
constexpr std::int64_t kFoundWithin = 3'000;

TEST(TimerSimulation, EachTimerFiresOnceInTimeAndNeverEarly) {
  TimerResult sum;
  const std::int64_t schedules =
      RunSchedules(Simulation::kTimers, [&](std::uint64_t seed, bool trace) {
        const TimerResult result = RunTimers(seed, TimerFlaw::kNone, trace);
        sum.fired += result.fired;
        sum.skipped += result.skipped;
        sum.held += result.held;
        return result.violation;
      });
  std::printf("%lld schedules of the timers: %lld fired, %lld skipped, %lld turns held\n",
              static_cast<long long>(schedules), static_cast<long long>(sum.fired),
              static_cast<long long>(sum.skipped), static_cast<long long>(sum.held));
}

class TimerFlawTest : public ::testing::TestWithParam<Planted<TimerFlaw>> {};
TEST_P(TimerFlawTest, IsFound) {
  ExpectFound(Simulation::kTimers, kFoundWithin, [](std::uint64_t seed, bool trace) {
    return RunTimers(seed, GetParam().flaw, trace).violation;
  });
}
INSTANTIATE_TEST_SUITE_P(
    Planted, TimerFlawTest,
    ::testing::Values(Planted<TimerFlaw>{TimerFlaw::kBelievesItsClock, "BelievesItsClock"},
                      Planted<TimerFlaw>{TimerFlaw::kIgnoresJumps, "IgnoresJumps"},
                      Planted<TimerFlaw>{TimerFlaw::kTellsBoth, "TellsBoth"},
                      Planted<TimerFlaw>{TimerFlaw::kNoBudget, "NoBudget"},
                      Planted<TimerFlaw>{TimerFlaw::kIgnoresTheLease, "IgnoresTheLease"},
                      Planted<TimerFlaw>{TimerFlaw::kIgnoresGeneration, "IgnoresGeneration"},
                      Planted<TimerFlaw>{TimerFlaw::kForgetsOnError, "ForgetsOnError"},
                      Planted<TimerFlaw>{TimerFlaw::kReadsOnce, "ReadsOnce"}),
    kName);

TEST(RoutingSimulation, CapsHoldTurnsAreEvenAndNobodyIsIdleWhileSomethingWaits) {
  RoutingResult sum;
  const std::int64_t schedules =
      RunSchedules(Simulation::kRouting, [&](std::uint64_t seed, bool trace) {
        const RoutingResult result = RunRouting(seed, RoutingFlaw::kNone, trace);
        sum.assigned += result.assigned;
        sum.declined += result.declined;
        sum.left_waiting += result.left_waiting;
        return result.violation;
      });
  std::printf("%lld schedules of the routing: %lld assigned, %lld declined, %lld left waiting\n",
              static_cast<long long>(schedules), static_cast<long long>(sum.assigned),
              static_cast<long long>(sum.declined), static_cast<long long>(sum.left_waiting));
}

class RoutingFlawTest : public ::testing::TestWithParam<Planted<RoutingFlaw>> {};
TEST_P(RoutingFlawTest, IsFound) {
  ExpectFound(Simulation::kRouting, kFoundWithin, [](std::uint64_t seed, bool trace) {
    return RunRouting(seed, GetParam().flaw, trace).violation;
  });
}
INSTANTIATE_TEST_SUITE_P(
    Planted, RoutingFlawTest,
    ::testing::Values(Planted<RoutingFlaw>{RoutingFlaw::kCapIsOneTooHigh, "CapIsOneTooHigh"},
                      Planted<RoutingFlaw>{RoutingFlaw::kTotalCapIsForgotten,
                                           "TotalCapIsForgotten"},
                      Planted<RoutingFlaw>{RoutingFlaw::kLoadsAreStale, "LoadsAreStale"},
                      Planted<RoutingFlaw>{RoutingFlaw::kCursorIsLost, "CursorIsLost"},
                      Planted<RoutingFlaw>{RoutingFlaw::kDeclinesForgotten, "DeclinesForgotten"},
                      Planted<RoutingFlaw>{RoutingFlaw::kGuardIsMissing, "GuardIsMissing"},
                      Planted<RoutingFlaw>{RoutingFlaw::kReturnKeepsSlot, "ReturnKeepsSlot"},
                      Planted<RoutingFlaw>{RoutingFlaw::kOrderIsByNumber, "OrderIsByNumber"},
                      Planted<RoutingFlaw>{RoutingFlaw::kSkipsTheLast, "SkipsTheLast"},
                      Planted<RoutingFlaw>{RoutingFlaw::kPlansOnlyOnce, "PlansOnlyOnce"}),
    kName);

TEST(BreakerSimulation, OpensProbesAndClosesAsTheListOfAllCallsSays) {
  BreakerResult sum;
  const std::int64_t schedules =
      RunSchedules(Simulation::kBreaker, [&](std::uint64_t seed, bool trace) {
        const BreakerResult result = RunBreaker(seed, BreakerFlaw::kNone, trace);
        sum.sends += result.sends;
        sum.openings += result.openings;
        sum.probes += result.probes;
        return result.violation;
      });
  std::printf("%lld schedules of the breaker: %lld sends, %lld openings, %lld probes\n",
              static_cast<long long>(schedules), static_cast<long long>(sum.sends),
              static_cast<long long>(sum.openings), static_cast<long long>(sum.probes));
}

class BreakerFlawTest : public ::testing::TestWithParam<Planted<BreakerFlaw>> {};
TEST_P(BreakerFlawTest, IsFound) {
  ExpectFound(Simulation::kBreaker, kFoundWithin, [](std::uint64_t seed, bool trace) {
    return RunBreaker(seed, GetParam().flaw, trace).violation;
  });
}
INSTANTIATE_TEST_SUITE_P(
    Planted, BreakerFlawTest,
    ::testing::Values(Planted<BreakerFlaw>{BreakerFlaw::kNeverCloses, "NeverCloses"},
                      Planted<BreakerFlaw>{BreakerFlaw::kOpensLate, "OpensLate"},
                      Planted<BreakerFlaw>{BreakerFlaw::kOpensEarly, "OpensEarly"},
                      Planted<BreakerFlaw>{BreakerFlaw::kRemembersLonger, "RemembersLonger"},
                      Planted<BreakerFlaw>{BreakerFlaw::kProbesTooOften, "ProbesTooOften"},
                      Planted<BreakerFlaw>{BreakerFlaw::kIgnoresOpen, "IgnoresOpen"},
                      Planted<BreakerFlaw>{BreakerFlaw::kAnybodyFreesProbe, "AnybodyFreesProbe"}),
    kName);

}  // namespace
}  // namespace potok::simulation
