#include "desk/routing/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>

#include "desk/routing/random_facts.h"

namespace potok::desk {
namespace {

using ::testing::HasSubstr;

TEST(RoutingFacts, ReadBackEqualAndCanonical) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    const PlanFacts facts = RandomFacts(seed);
    const std::string text = EncodeFacts(facts);
    const auto parsed = ParseFacts(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    ASSERT_EQ(*parsed, facts);
    ASSERT_EQ(EncodeFacts(*parsed), text);
  }
}

TEST(Replay, IsBitIdenticalForThePassAndForEachDecisionAlone) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    const PlanFacts facts = RandomFacts(seed);
    const Plan plan = MakePlan(facts);
    const auto again = Replay(EncodeFacts(facts));
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(*again, plan);
    for (size_t i = 0; i < plan.decisions.size(); ++i) {
      const std::string alone = EncodeFacts(FactsOfDecision(facts, plan, i));
      const std::string stored = EncodeDecision(plan.decisions[i]);
      ASSERT_EQ(VerifyDecision(alone, stored), absl::OkStatus());
      ASSERT_EQ(VerifyDecision(EncodeFacts(facts), stored), absl::OkStatus());
      const auto decision = ParseDecision(stored);
      ASSERT_TRUE(decision.ok());
      ASSERT_EQ(*decision, plan.decisions[i]);
    }
  }
}

TEST(Replay, HoldsForInstantsFinerThanTheStore) {
  PlanFacts facts = RandomFacts(7);
  facts.flow.ageing_step = absl::Minutes(30) + absl::Nanoseconds(300);
  facts.at += absl::Nanoseconds(999);
  for (WaitingTicket& ticket : facts.tickets) ticket.queued_at -= absl::Nanoseconds(250);
  const auto again = Replay(EncodeFacts(facts));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, MakePlan(facts));
}

PlanFacts OneAgent() {
  PlanFacts facts;
  facts.flow.flow = "it";
  facts.at = absl::FromUnixSeconds(1774900000);
  facts.candidates.resize(1);
  facts.candidates[0].employee = "иванова";
  facts.candidates[0].present = true;
  facts.candidates[0].presence = "online";
  facts.candidates[0].cap = 3;
  facts.tickets.resize(1);
  facts.tickets[0].id = "t1";
  facts.tickets[0].number = "IT-000001";
  facts.tickets[0].queued_at = facts.at;
  return facts;
}

// Golden: stored rows outlive programs, so the bytes of version 1 may never change.
TEST(RoutingFacts, TextOfVersionOne) {
  EXPECT_EQ(EncodeFacts(OneAgent()),
            "routing-facts 1\n"
            "flow \"it\"\n"
            "round_robin 0 1 1800000000\n"
            "at 1774900000000000\n"
            "cursor \"\"\n"
            "candidate \"иванова\" 1 1 \"online\" 0 1 0 3 - - 0 0\n"
            "ticket \"t1\" \"IT-000001\" 1 3 1774900000000000 0 0 0 \"\" \"\" 0 \"\"\n");
  EXPECT_EQ(EncodeDecision(MakePlan(OneAgent()).decisions[0]),
            "routing-decision 1\n"
            "ticket \"t1\"\n"
            "round_robin 1\n"
            "at 1774900000000000\n"
            "chosen \"иванова\" \"turn\"\n"
            "READY\n"
            "cursor \"\" \"иванова\"\n"
            "CHOSEN \"иванова\" 1 0 0 3\n");
}

TEST(RoutingFacts, UnknownVersionIsRefusedByName) {
  const auto facts = ParseFacts("routing-facts 2\nflow \"it\"\n");
  EXPECT_EQ(facts.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(facts.status().message()), HasSubstr("version 2"));
}

TEST(RoutingFacts, DamagedTextIsAnErrorNeverACrash) {
  const std::string text = EncodeFacts(RandomFacts(11));
  for (size_t cut = 0; cut + 1 < text.size(); ++cut) {
    const auto parsed = ParseFacts(text.substr(0, cut));  // Some cuts end between two tickets.
    ASSERT_TRUE(!parsed.ok() || text[cut - 1] == '\n' || text[cut] == '\n') << cut;
  }
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string broken = text;
    for (int k = 0; k < 3; ++k)
      broken[random() % broken.size()] = static_cast<char>(random() % 128);
    (void)Replay(broken);
    (void)ParseDecision(broken);
  }
  EXPECT_FALSE(ParseFacts("").ok());
  EXPECT_FALSE(ParseDecision("routing-facts 1\n").ok());
}

TEST(VerifyDecision, NamesTheFirstDifference) {
  const PlanFacts facts = OneAgent();
  Decision forged = MakePlan(facts).decisions[0];
  forged.chosen = "петров";
  const absl::Status status = VerifyDecision(EncodeFacts(facts), EncodeDecision(forged));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"петров\""));

  Decision other = MakePlan(facts).decisions[0];
  other.verdicts[0].active = 2;
  EXPECT_EQ(VerifyDecision(EncodeFacts(facts), EncodeDecision(other)).code(),
            absl::StatusCode::kDataLoss);
  other = MakePlan(facts).decisions[0];
  other.ticket = "t2";
  EXPECT_EQ(VerifyDecision(EncodeFacts(facts), EncodeDecision(other)).code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace potok::desk
