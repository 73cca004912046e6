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

class Crashes : public ::testing::Test {
 protected:
  // What came of a death before the `stop`-th statement; false when there are fewer.
  bool Die(World& world, const Operation& operation, int stop, Death death) {
    const Case each = world.Prepare(operation.needs);
    const Actor actor = Make(operation, each);
    Outcome outcome = Crash(world, actor, {&each}, stop, death);
    SCOPED_TRACE(absl::StrCat(operation.name, " died before ", outcome.stop.value_or("nothing"),
                              " (", stop, ")"));
    EXPECT_EQ(outcome.history.size(), 1u) << outcome.Text();
    EXPECT_TRUE(outcome.b.status.ok()) << outcome.b.status;
    if (outcome.a.status.ok()) {
      EXPECT_EQ(outcome.a.version, outcome.b.version);
      EXPECT_EQ(outcome.a.state, outcome.b.state);
      recovered_ += outcome.stop.has_value();
    } else {
      // What a client is told to repeat; it must not read a refusal into it.
      EXPECT_TRUE(absl::IsUnavailable(outcome.a.status) || absl::IsUnknown(outcome.a.status))
          << outcome.a.status;
      outcome.a = outcome.b;
    }
    EXPECT_EQ(NotTrue(outcome, actor, actor), "") << outcome.Text();
    crashes_ += outcome.stop.has_value();
    return outcome.stop.has_value();
  }

  void DieEverywhere(Death death) {
    World world(700);
    for (const Operation& operation : Operations()) {
      for (int stop = 1; Die(world, operation, stop, death); ++stop) {
        ASSERT_LT(stop, 40) << operation.name << " has no end";
      }
      ASSERT_EQ(world.Broken(), "") << operation.name;
    }
  }

  int crashes_ = 0, recovered_ = 0;
};

TEST_F(Crashes, OfConnectionsLeaveNothingHalf) {
  DieEverywhere(Death::kOfConnections);
  EXPECT_GT(recovered_, 0);
  std::cout << crashes_ << " crashes of connections, " << recovered_
            << " recovered from within the call\n";
}

TEST_F(Crashes, OfProcessesLeaveNothingHalf) {
  DieEverywhere(Death::kForGood);
  std::cout << crashes_ << " crashes for good, " << recovered_ << " after the last commit\n";
}

// The commit is done and nobody is told: the request id knows, and so do the rows that loops read.
TEST_F(Crashes, OfTheAnswerToACommitDoNothingTwice) {
  World world(100, /*through_a_link=*/true);
  for (const Operation& operation : Operations()) {
    const Case dry = world.Prepare(operation.needs);
    world.a().Reconnect();  // What the death before this one cut would be begun twice.
    Interleave(world, Make(operation, dry), Make(Find("create"), dry), {&dry}, 0);
    const std::vector<std::string> statements = world.a().gate().Statements();
    int commits = 0;
    for (size_t i = 0; i < statements.size(); ++i) {
      // Filing is one statement, which commits by itself.
      if (statements[i] != "commit" && statements[i] != "ledger.persist_filed") continue;
      ++commits;
      EXPECT_TRUE(Die(world, operation, static_cast<int>(i) + 1, Death::kOfTheAnswer))
          << operation.name << " has no statement " << i + 1;
    }
    EXPECT_GT(commits, 0) << operation.name;
    ASSERT_EQ(world.Broken(), "") << operation.name;
  }
  EXPECT_GT(recovered_, 0);
  std::cout << crashes_ << " answers to a commit lost, " << recovered_
            << " found out from within the call\n";
}

}  // namespace
}  // namespace potok::interleaving
