// A process that dies before any of its statements leaves nothing half, and the same call made
// again, or the next owner of its work, ends what it began.
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "integration/interleaving/operations.h"
#include "integration/interleaving/run.h"
#include "integration/interleaving/world.h"

namespace potok::interleaving {
namespace {

class Crashes : public ::testing::TestWithParam<bool> {};

TEST_P(Crashes, LeaveNothingHalfAndARepeatEndsTheWork) {
  const bool for_good = GetParam();
  World world(700);
  int crashes = 0, recovered = 0;
  for (const Operation& operation : Operations()) {
    for (int stop = 1;; ++stop) {
      ASSERT_LT(stop, 40) << operation.name << " has no end";
      const Case each = world.Prepare(operation.needs);
      const Actor actor = Make(operation, each);
      Outcome outcome = Crash(world, actor, {&each}, stop, for_good);
      SCOPED_TRACE(absl::StrCat(operation.name, " crashed before ",
                                outcome.stop.value_or("nothing"), " (", stop, ")"));
      EXPECT_EQ(outcome.history.size(), 1u) << outcome.Text();
      EXPECT_TRUE(outcome.b.status.ok()) << outcome.b.status;
      if (outcome.a.status.ok()) {
        EXPECT_EQ(outcome.a.version, outcome.b.version);
        EXPECT_EQ(outcome.a.state, outcome.b.state);
        recovered += outcome.stop.has_value();
      } else {
        // What a client is told to repeat; it must not read a refusal into it.
        EXPECT_TRUE(absl::IsUnavailable(outcome.a.status) || absl::IsUnknown(outcome.a.status))
            << outcome.a.status;
        outcome.a = outcome.b;
      }
      EXPECT_EQ(NotTrue(world, outcome, actor, actor, {&each}), "") << outcome.Text();
      if (!outcome.stop) break;
      ++crashes;
    }
    ASSERT_EQ(world.Broken(), "") << operation.name;
  }
  std::cout << crashes << " crashes" << (for_good ? " for good" : "") << ", " << recovered
            << " recovered from within the call\n";
}

INSTANTIATE_TEST_SUITE_P(OfConnectionsAndProcesses, Crashes, ::testing::Bool(),
                         [](const auto& info) {
                           return std::string(info.param ? "ForGood" : "OfConnections");
                         });

}  // namespace
}  // namespace potok::interleaving
