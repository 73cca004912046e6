// All ordered pairs of what people and loops do to one ticket, on two replicas, with a stop before
// every statement of the first: the database is sound, the outcome is that of one order or the
// other, each caller was told the truth, and asking again changes nothing.
#include <iostream>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "integration/interleaving/operations.h"
#include "integration/interleaving/run.h"
#include "integration/interleaving/world.h"

namespace potok::interleaving {
namespace {

// More than any operation has.
constexpr int kMostStatements = 40;

TEST(Operations, AreAllThatMayMeet) {
  std::set<std::string> names;
  for (const Operation& operation : Operations()) names.insert(operation.name);
  EXPECT_THAT(names, ::testing::IsSupersetOf({"create", "assign", "self-pick", "decline",
                                              "transfer", "leave", "wait", "reply", "fire half",
                                              "fire breach", "fire auto-close", "resolve",
                                              "send back", "confirm", "cancel", "reopen"}));
  EXPECT_EQ(names.size(), Operations().size());
}

class Pairs : public ::testing::TestWithParam<std::string> {};

TEST_P(Pairs, EndAsIfOneHadComeFirstAndEachIsToldTheTruth) {
  const Operation& first = Find(GetParam());
  World world(static_cast<int>(Operations().size()) * kMostStatements);
  int pairs = 0, interleavings = 0, blocked = 0;
  std::set<std::string> stops;
  for (const Operation& second : Operations()) {
    const Needs needs = first.needs == Needs::kNothing ? second.needs : first.needs;
    const auto run = [&](int stop, const Outcome* a_first, const Outcome* b_first) {
      const Case each = world.Prepare(needs);
      const Actor a = Make(first, each), b = Make(second, each);
      Outcome outcome = Interleave(world, a, b, {&each}, stop);
      SCOPED_TRACE(absl::StrCat(first.name, " and ", second.name, ", the first stopped before ",
                                outcome.stop.value_or("nothing"), " (", stop, ")"));
      if (a_first != nullptr) {
        EXPECT_EQ(NotSerial(outcome, *a_first, *b_first), "");
      }
      EXPECT_EQ(NotTrue(outcome, a, b), "") << outcome.Text();
      EXPECT_EQ(NotReplayed(world, outcome, a, b, {&each}), "") << outcome.Text();
      return outcome;
    };
    const Outcome a_first = run(0, nullptr, nullptr), b_first = run(-1, nullptr, nullptr);
    EXPECT_TRUE(a_first.a.status.ok())
        << first.name << " is not legal where it should be: " << a_first.a.status;
    for (int stop = 1; stop <= kMostStatements; ++stop) {
      ASSERT_LT(stop, kMostStatements) << "an operation without an end";
      const Outcome outcome = run(stop, &a_first, &b_first);
      if (!outcome.stop) break;
      ++interleavings;
      blocked += outcome.blocked;
      stops.insert(*outcome.stop);
    }
    ++pairs;
    ASSERT_EQ(world.Broken(), "") << first.name << " and " << second.name;
  }
  EXPECT_EQ(world.Query("SELECT deadlocks FROM pg_stat_database WHERE datname = "
                        "current_database()"),
            "0");
  EXPECT_EQ(pairs, static_cast<int>(Operations().size())) << "a pair was left out";
  // Filing is one statement: it holds nothing before it, and nothing after it.
  const bool one_statement = stops.count("ledger.persist_filed") > 0;
  EXPECT_EQ(one_statement, GetParam() == "create");
  if (one_statement) {
    EXPECT_THAT(stops, ::testing::ElementsAre("ledger.find_answers", "ledger.persist_filed"));
  } else {
    EXPECT_GT(blocked, 0) << "nobody ever waited for " << first.name;
    EXPECT_EQ(stops.count("commit"), 1u);
  }
  std::cout << first.name << ": " << pairs << " pairs, " << interleavings << " interleavings, "
            << blocked << " waited for a lock\n";
}

INSTANTIATE_TEST_SUITE_P(Of, Pairs, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const Operation& operation : Operations())
                             names.push_back(operation.name);
                           return names;
                         }()),
                         [](const auto& info) {
                           return absl::StrReplaceAll(info.param, {{" ", ""}, {"-", ""}});
                         });

}  // namespace
}  // namespace potok::interleaving
