// One call that reaches two replicas at once, with a stop before every statement of the first: both
// answers are the same, and it was done once.
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "integration/interleaving/operations.h"
#include "integration/interleaving/run.h"
#include "integration/interleaving/world.h"

namespace potok::interleaving {
namespace {

TEST(Twins, AreOneCallAndGetOneAnswer) {
  World world(500);
  int interleavings = 0, blocked = 0;
  for (const Operation& operation : Operations()) {
    if (operation.loop) continue;
    for (int stop = 1;; ++stop) {
      ASSERT_LT(stop, 40) << operation.name << " has no end";
      const Case each = world.Prepare(operation.needs);
      const Actor actor = Make(operation, each);  // One request id for both.
      const Outcome outcome = Interleave(world, actor, actor, {&each}, stop);
      SCOPED_TRACE(absl::StrCat(operation.name, " stopped before ",
                                outcome.stop.value_or("nothing"), " (", stop, ")"));
      EXPECT_EQ(NotTrue(outcome, actor, actor), "") << outcome.Text();
      EXPECT_TRUE(outcome.a.status.ok()) << outcome.a.status;
      EXPECT_TRUE(outcome.b.status.ok()) << outcome.b.status;
      EXPECT_EQ(outcome.a.ticket, outcome.b.ticket);
      EXPECT_EQ(outcome.a.version, outcome.b.version);
      EXPECT_EQ(outcome.a.state, outcome.b.state);
      EXPECT_EQ(outcome.history.size(), 1u) << outcome.Text();
      if (!outcome.stop) break;
      ++interleavings;
      blocked += outcome.blocked;
    }
    ASSERT_EQ(world.Broken(), "") << operation.name;
  }
  EXPECT_GT(blocked, 0);
  std::cout << "twins: " << interleavings << " interleavings, " << blocked
            << " waited for a lock\n";
}

// Leaving is a call of the team's service, remembered apart from the ledger's.
TEST(Twins, WhoLeavesTwiceAtOnceLeavesOnce) {
  World world(120);
  for (const char* name : {"leave", "leave the team"}) {
    const Operation& operation = Find(name);
    for (int stop = 1;; ++stop) {
      ASSERT_LT(stop, 40) << name << " has no end";
      const Case each = world.Prepare(operation.needs);
      const Actor actor = Make(operation, each);
      const Outcome outcome = Interleave(world, actor, actor, {&each}, stop);
      SCOPED_TRACE(absl::StrCat(name, " stopped before ", outcome.stop.value_or("nothing"), " (",
                                stop, ")"));
      EXPECT_TRUE(outcome.a.status.ok()) << outcome.a.status;
      EXPECT_TRUE(outcome.b.status.ok()) << outcome.b.status;
      EXPECT_EQ(outcome.end, "T QUEUED") << outcome.Text();
      EXPECT_EQ(world.Query(absl::StrCat("SELECT count(*) FROM router.absence WHERE employee = '",
                                         each.anna, "'")),
                std::string(name) == "leave" ? "1" : "0");
      if (!outcome.stop) break;
    }
  }
  EXPECT_EQ(world.Broken(), "");
}

}  // namespace
}  // namespace potok::interleaving
