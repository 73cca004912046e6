#include "router/domain/decision_codec.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "desk/routing/random_facts.h"
#include "router/domain/decision_text.h"
#include "router/domain/team_facts.h"

namespace potok::router {
namespace {

// Every decision of a random pass, each with the facts of its own turn.
std::vector<StoredDecision> RandomDecisions(unsigned seed) {
  const desk::PlanFacts facts = desk::RandomFacts(seed);
  const desk::Plan plan = desk::MakePlan(facts);
  std::vector<StoredDecision> out;
  for (size_t i = 0; i < plan.decisions.size(); ++i) {
    out.push_back({desk::FactsOfDecision(facts, plan, i), plan.decisions[i]});
  }
  return out;
}

desk::Candidate Agent(const std::string& employee, int active, int cap = 3) {
  desk::Candidate candidate;
  candidate.employee = employee;
  candidate.presence = kOnline;
  candidate.present = true;
  candidate.active = active;
  candidate.cap = cap;
  return candidate;
}

StoredDecision OneTurn(std::vector<desk::Candidate> candidates) {
  desk::PlanFacts facts;
  facts.flow.flow = "buh";
  facts.at = absl::FromUnixSeconds(1794819600);
  facts.candidates = std::move(candidates);
  facts.tickets.push_back({.id = "t1", .number = "BUH-000001", .queued_at = facts.at});
  const desk::Plan plan = desk::MakePlan(facts);
  return {desk::FactsOfDecision(facts, plan, 0), plan.decisions[0]};
}

TEST(DecisionCodec, EveryDecisionComesBackEqualAndReplaysFromItsText) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    for (const StoredDecision& stored : RandomDecisions(seed)) {
      const std::string text = ToJson(stored);
      const auto read = DecisionFromJson(text);
      ASSERT_TRUE(read.ok()) << read.status() << "\n" << text;
      EXPECT_EQ(ToJson(*read), text);
      EXPECT_EQ(read->decision, stored.decision) << text;
      EXPECT_TRUE(Replay(*read).ok()) << Replay(*read) << "\n" << text;
    }
  }
}

TEST(DecisionCodec, WhatManyShareIsStoredOnceAndAbsentTotalsStayAbsent) {
  std::vector<desk::Candidate> team = {Agent("ivanova", 1), Agent("petrov", 2),
                                       Agent("sidorov", 0)};
  team[1].total_active = 0;
  team[1].total_cap = 5;
  team[2].skills = {"1c", "vpn"};
  const StoredDecision stored = OneTurn(std::move(team));
  const std::string text = ToJson(stored);
  EXPECT_THAT(text, testing::HasSubstr(R"("cap":3)"));
  EXPECT_THAT(text, testing::HasSubstr(R"("active":[1,2,0])"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("languages")));
  const auto read = DecisionFromJson(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, stored);
}

TEST(DecisionCodec, DecisionsOfTheFirstFormatAreReadAsEver) {
  const auto read = DecisionFromJson(R"({
    "format": 1, "at_us": 1794819600000000, "chosen": "ivanova", "chosen_by": "turn", "cursor_after": "ivanova",
    "flow": {"id": "buh", "mode": "round_robin", "policy_version": 1, "ageing_step_us": 14400000000},
    "ticket": {"id": "t1", "number": "BUH-000001", "priority": 3, "queued_us": 1794819600000000, "queued_seq": 0},
    "candidates": [
      {"employee": "ivanova", "present": true, "presence": "online", "active": 0, "cap": 3, "total_active": 1,
       "total_cap": 9, "verdict": "CHOSEN"},
      {"employee": "petrov", "present": true, "presence": "online", "active": 3, "cap": 3, "skills": ["vpn"],
       "verdict": "AT_CAP"}]})");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->facts.candidates.size(), 2u);
  EXPECT_EQ(read->facts.candidates[0].total_cap, 9);
  EXPECT_EQ(read->facts.candidates[1].total_cap, std::nullopt);
  EXPECT_EQ(read->facts.candidates[1].skills, std::vector<std::string>{"vpn"});
  ASSERT_EQ(read->decision.verdicts.size(), 2u);
  EXPECT_EQ(read->decision.verdicts[1].reason, desk::VerdictReason::kAtCap);
  const auto again = DecisionFromJson(ToJson(*read));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *read);
}

TEST(DecisionCodec, ColumnsOfUnequalLengthAreDamage) {
  std::string text = ToJson(OneTurn({Agent("ivanova", 1), Agent("petrov", 2)}));
  text.replace(text.find("[1,2]"), 5, "[1]");
  EXPECT_EQ(DecisionFromJson(text).status().code(), absl::StatusCode::kDataLoss);
}

TEST(DecisionCodec, ATamperedDecisionIsFoundByItsReplay) {
  StoredDecision stored = OneTurn({Agent("ivanova", 0), Agent("petrov", 0)});
  ASSERT_EQ(stored.decision.chosen, "ivanova");
  stored.facts.candidates[0].active = 3;
  EXPECT_EQ(Replay(stored).code(), absl::StatusCode::kDataLoss);
}

TEST(DecisionCodec, ADamagedTextIsRefusedAndANewerFormatIsNotGuessed) {
  EXPECT_EQ(DecisionFromJson("{").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecisionFromJson("{\"format\":1}").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecisionFromJson("{\"format\":99}").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DecisionText, TheAccountantWithThreeActiveRequestsIsPassedOverAndOneSeesWhy) {
  const StoredDecision stored = OneTurn({Agent("ivanova", 3), Agent("petrov", 1)});
  EXPECT_EQ(stored.decision.chosen, "petrov");
  const Words words = SummaryOf(stored, [](const std::string& id) {
    return std::string(id == "ivanova" ? "Иванова Анна" : "Петров Пётр");
  });
  EXPECT_EQ(
      words.ru,
      "Исполнитель - Петров Пётр: подошла очередь; не могли взять: Иванова Анна (3 из 3 активных "
      "заявок).");
  EXPECT_EQ(
      words.en,
      "Given to Петров Пётр: next in turn; passed over: Иванова Анна (3 of 3 active tickets).");
}

TEST(TeamFacts, PresenceEndsAtItsInstantAndIsOfflineThen) {
  const absl::Time noon = absl::FromUnixSeconds(1794819600);
  EXPECT_EQ(PresenceAt(kOnline, std::nullopt, noon), kOnline);
  EXPECT_EQ(PresenceAt(kOnline, noon + absl::Microseconds(1), noon), kOnline);
  EXPECT_EQ(PresenceAt(kOnline, noon, noon), kOffline);
}

TEST(TeamFacts, OneWithoutALoadRowGetsNothing) {
  MemberFacts member;
  member.employee = "ivanova";
  member.presence = kOnline;
  EXPECT_FALSE(IsAvailable(CandidateOf(member, nullptr, absl::UnixEpoch()), desk::FlowRouting{}));
  member.active = 0;
  member.cap = 1;
  EXPECT_TRUE(IsAvailable(CandidateOf(member, nullptr, absl::UnixEpoch()), desk::FlowRouting{}));
}

TEST(TeamFacts, WhoReturnsATicketByHandIsNotPreferredForIt) {
  desk::Ticket ticket;
  ticket.sticky_agent = "ivanova";
  EXPECT_EQ(WaitingOf(ticket).sticky_agent, "");
  ticket.queue_front = true;
  EXPECT_EQ(WaitingOf(ticket).sticky_agent, "ivanova");
}

TEST(TeamFacts, EachProfileIsAskedOnItsOwn) {
  const std::vector<desk::Candidate> team = {Agent("ivanova", 0, 1)};
  const std::vector<QueueProfile> profiles = {{1, {}}, {1, {}}, {1, {"ivanova"}}, {2, {}}};
  EXPECT_EQ(ReasonsOf(profiles, desk::FlowRouting{}, team, absl::UnixEpoch()),
            (std::vector<desk::QueueReason>{desk::QueueReason::kReady, desk::QueueReason::kReady,
                                            desk::QueueReason::kAllDeclined,
                                            desk::QueueReason::kNoMembers}));
}

}  // namespace
}  // namespace potok::router
