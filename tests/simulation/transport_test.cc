#include "simulation/transport.h"

#include <cstdio>
#include <string>

#include "gtest/gtest.h"

#include "simulation/schedules.h"

namespace potok::simulation {
namespace {

void Say(const char* what, std::int64_t schedules, const ScheduleResult& sum) {
  std::printf(
      "%lld schedules of %s: %lld steps, %lld events, %lld faults, %lld leases gained, %lld "
      "parked\n",
      static_cast<long long>(schedules), what, static_cast<long long>(sum.steps),
      static_cast<long long>(sum.events), static_cast<long long>(sum.faults),
      static_cast<long long>(sum.gains), static_cast<long long>(sum.parked));
}

void Add(ScheduleResult& sum, const ScheduleResult& result) {
  sum.steps += result.steps;
  sum.events += result.events;
  sum.gains += result.gains;
  sum.faults += result.faults;
  sum.parked += result.parked;
}

TEST(TransportSimulation, NothingIsLostDoubledOrStuckWhateverBreaks) {
  ScheduleResult sum;
  const std::int64_t schedules =
      RunSchedules(Simulation::kTransport, [&](std::uint64_t seed, bool trace) {
        const ScheduleResult result = RunTransport(seed, Flaw::kNone, trace);
        Add(sum, result);
        return result.violation;
      });
  Say("the transport", schedules, sum);
}

TEST(LeaseSimulation, EachLeaseHasOneOwnerSoonAfterAnyFaultAndChangesHandsOnceATtlAtMost) {
  ScheduleResult sum;
  const std::int64_t schedules =
      RunSchedules(Simulation::kLeases, [&](std::uint64_t seed, bool trace) {
        const ScheduleResult result = RunLeases(seed, Flaw::kNone, trace);
        Add(sum, result);
        return result.violation;
      });
  Say("the leases", schedules, sum);
}

TEST(Schedules, OneSeedGivesOneStory) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const auto run : {&RunTransport, &RunLeases}) {
      const ScheduleResult once = run(seed, Flaw::kNone, /*trace=*/false);
      const ScheduleResult again = run(seed, Flaw::kNone, /*trace=*/false);
      EXPECT_GT(once.steps, 0);
      EXPECT_EQ(once.violation, again.violation) << seed;
      EXPECT_EQ(once.steps, again.steps) << seed;
      EXPECT_EQ(once.gains, again.gains) << seed;
      EXPECT_EQ(once.faults, again.faults) << seed;
    }
  }
}

struct Planted {
  Flaw flaw;
  const char* name;
  std::int64_t within = 2'000;  // schedules
};

void PrintTo(const Planted& planted, std::ostream* out) { *out << planted.name; }

class TransportFlaw : public ::testing::TestWithParam<Planted> {};
class LeaseFlaw : public ::testing::TestWithParam<Planted> {};

TEST_P(TransportFlaw, IsFound) {
  ExpectFound(Simulation::kTransport, GetParam().within, [](std::uint64_t seed, bool trace) {
    return RunTransport(seed, GetParam().flaw, trace).violation;
  });
}

TEST_P(LeaseFlaw, IsFound) {
  ExpectFound(Simulation::kLeases, GetParam().within, [](std::uint64_t seed, bool trace) {
    return RunLeases(seed, GetParam().flaw, trace).violation;
  });
}

const auto kName = [](const auto& info) { return std::string(info.param.name); };

INSTANTIATE_TEST_SUITE_P(Planted, LeaseFlaw,
                         ::testing::Values(Planted{Flaw::kGainIgnoresExpiry, "GainIgnoresExpiry"},
                                           Planted{Flaw::kRenewIgnoresToken, "RenewIgnoresToken"},
                                           Planted{Flaw::kNoFence, "NoFence"},
                                           Planted{Flaw::kHandsOverAtOnce, "HandsOverAtOnce"},
                                           Planted{Flaw::kDeadOwnerSeenLate, "DeadOwnerSeenLate"},
                                           Planted{Flaw::kEndedOwnerSeenLate, "EndedOwnerSeenLate"},
                                           Planted{Flaw::kLostGainForgotten, "LostGainForgotten"},
                                           Planted{Flaw::kRenewsUnheard, "RenewsUnheard"}),
                         kName);

INSTANTIATE_TEST_SUITE_P(
    Planted, TransportFlaw,
    ::testing::Values(Planted{Flaw::kSequenceIgnoresToken, "SequenceIgnoresToken"},
                      Planted{Flaw::kSequenceIgnoresVanishedRows, "SequenceIgnoresVanishedRows"},
                      Planted{Flaw::kTakeIgnoresToken, "TakeIgnoresToken"},
                      Planted{Flaw::kTakeIgnoresPosition, "TakeIgnoresPosition"},
                      Planted{Flaw::kRaiseIgnoresToken, "RaiseIgnoresToken"},
                      Planted{Flaw::kGainForgetsStamp, "GainForgetsStamp"},
                      Planted{Flaw::kNeverRaises, "NeverRaises"},
                      Planted{Flaw::kFillSkipsOne, "FillSkipsOne"},
                      Planted{Flaw::kTrimsOneTooMany, "TrimsOneTooMany"},
                      Planted{Flaw::kNeverFills, "NeverFills"},
                      Planted{Flaw::kOldKeyIsKept, "OldKeyIsKept"},
                      Planted{Flaw::kStopsWithoutRedis, "StopsWithoutRedis"},
                      // It takes news that Redis lost and a stream that nobody writes to again.
                      Planted{Flaw::kNeverSweeps, "NeverSweeps", 10'000}),
    kName);

}  // namespace
}  // namespace potok::simulation
