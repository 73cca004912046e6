#include "desk/routing/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace potok::desk {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1774900000);

Candidate Agent(std::string employee, int active = 0, int cap = 3) {
  Candidate candidate;
  candidate.employee = std::move(employee);
  candidate.present = true;
  candidate.presence = "online";
  candidate.active = active;
  candidate.cap = cap;
  return candidate;
}

WaitingTicket Waiting(std::string id, int64_t seq = 0, int priority = 3) {
  WaitingTicket ticket;
  ticket.id = std::move(id);
  ticket.priority = priority;
  ticket.queued_at = kNow;
  ticket.queued_seq = seq;
  return ticket;
}

FlowRouting Mode(DistributionMode mode) {
  FlowRouting flow;
  flow.flow = "it";
  flow.mode = mode;
  return flow;
}

std::vector<std::string> Agents(const Plan& plan) {
  std::vector<std::string> out;
  for (const Assignment& assignment : plan.assignments) out.push_back(assignment.agent);
  return out;
}

std::vector<std::string> Order(const Plan& plan) {
  std::vector<std::string> out;
  for (const Decision& decision : plan.decisions) out.push_back(decision.ticket);
  return out;
}

VerdictReason ReasonOf(const Decision& decision, const std::string& employee) {
  for (const CandidateVerdict& verdict : decision.verdicts) {
    if (verdict.employee == employee) return verdict.reason;
  }
  ADD_FAILURE() << "no verdict on " << employee;
  return VerdictReason::kNotChosen;
}

TEST(RoundRobin, GoesInTurnAfterTheCursorAndWraps) {
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {"ivanova"},
                             {Agent("ivanova"), Agent("petrov"), Agent("abramov")},
                             {Waiting("t1", 1), Waiting("t2", 2), Waiting("t3", 3)}, kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("petrov", "abramov", "ivanova"));
  EXPECT_EQ(plan.cursor.last_agent, "ivanova");
}

TEST(RoundRobin, CursorOfSomebodyWhoLeftStillNamesAPlaceInTheRing) {
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {"kozlov"},
                             {Agent("ivanova"), Agent("petrov")}, {Waiting("t1")}, kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("petrov"));
}

TEST(RoundRobin, FullAgentIsPassedOverAndTheDecisionSaysWhy) {
  const Plan plan =
      MakePlan(Mode(DistributionMode::kRoundRobin), {"abramov"},
               {Agent("abramov"), Agent("ivanova", 3, 3), Agent("petrov")}, {Waiting("t1")}, kNow);
  ASSERT_EQ(plan.decisions.size(), 1u);
  const Decision& decision = plan.decisions[0];
  EXPECT_EQ(decision.chosen, "petrov");
  EXPECT_EQ(decision.chosen_by, "turn");
  EXPECT_EQ(ReasonOf(decision, "ivanova"), VerdictReason::kAtCap);
  EXPECT_EQ(decision.verdicts[1].active, 3);
  EXPECT_EQ(decision.verdicts[1].cap, 3);
  EXPECT_EQ(ReasonOf(decision, "petrov"), VerdictReason::kChosen);
  EXPECT_EQ(ReasonOf(decision, "abramov"), VerdictReason::kNotChosen);
  EXPECT_EQ(decision.cursor_before.last_agent, "abramov");
  EXPECT_EQ(decision.cursor_after.last_agent, "petrov");
}

TEST(RoundRobin, LinesTurnIndependently) {
  Candidate second = Agent("boris", 0, 100);
  second.line = 2;
  const std::vector<Candidate> agents = {Agent("anna", 0, 100), second, Agent("clara", 0, 100)};
  std::vector<WaitingTicket> tickets;
  for (int i = 0; i < 8; ++i) {
    tickets.push_back(Waiting("t" + std::to_string(i), i));
    tickets.back().line = 1 + i % 2;
  }
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {}, agents, tickets, kNow);
  EXPECT_THAT(Agents(plan),
              ElementsAre("anna", "boris", "clara", "boris", "anna", "boris", "clara", "boris"));
  EXPECT_EQ(plan.cursor.last_agent, "clara;2=boris");
}

TEST(LeastLoaded, ComparesSharesOfTheCapThenCountsThenTurn) {
  const FlowRouting flow = Mode(DistributionMode::kLeastLoaded);
  // 1/2 against 2/6: the smaller share wins although it holds more.
  EXPECT_THAT(
      Agents(MakePlan(flow, {}, {Agent("a", 1, 2), Agent("b", 2, 6)}, {Waiting("t")}, kNow)),
      ElementsAre("b"));
  // Equal shares: fewer tickets.
  EXPECT_THAT(
      Agents(MakePlan(flow, {}, {Agent("a", 2, 4), Agent("b", 1, 2)}, {Waiting("t")}, kNow)),
      ElementsAre("b"));
  // All equal: the turn.
  EXPECT_THAT(
      Agents(MakePlan(flow, {"a"}, {Agent("a"), Agent("b"), Agent("c")}, {Waiting("t")}, kNow)),
      ElementsAre("b"));
}

TEST(LeastLoaded, LoadsGrowWithinThePass) {
  const Plan plan = MakePlan(
      Mode(DistributionMode::kLeastLoaded), {}, {Agent("a", 0, 3), Agent("b", 2, 3)},
      {Waiting("t1", 1), Waiting("t2", 2), Waiting("t3", 3), Waiting("t4", 4), Waiting("t5", 5)},
      kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("a", "a", "b", "a"));
  EXPECT_EQ(plan.decisions[4].queue_reason, QueueReason::kAllAtCap);
}

TEST(Queue, FrontFirstThenAgedPriorityThenSequence) {
  std::vector<WaitingTicket> tickets = {Waiting("low", 1, 4), Waiting("high", 2, 1),
                                        Waiting("old-low", 3, 4), Waiting("front", 9, 4),
                                        Waiting("high-later", 4, 1)};
  tickets[2].queued_at = kNow - absl::Hours(2);  // Four steps: 4 - 4 = 0, above critical.
  tickets[3].front = true;
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {}, {}, tickets, kNow);
  EXPECT_THAT(Order(plan), ElementsAre("front", "old-low", "high", "high-later", "low"));
}

TEST(Queue, AgeingStepsAreWholeAndCanBeOff) {
  FlowRouting flow;
  WaitingTicket ticket = Waiting("t", 0, 3);
  EXPECT_EQ(EffectivePriority(ticket, flow, kNow + absl::Minutes(30) - absl::Microseconds(1)), 3);
  EXPECT_EQ(EffectivePriority(ticket, flow, kNow + absl::Minutes(30)), 2);
  EXPECT_EQ(EffectivePriority(ticket, flow, kNow - absl::Hours(5)), 3);
  EXPECT_LT(EffectivePriority(ticket, flow, absl::InfiniteFuture()), -1000);
  flow.ageing_step = absl::ZeroDuration();
  EXPECT_EQ(EffectivePriority(ticket, flow, kNow + absl::Hours(100)), 3);
}

TEST(Preference, FormerHolderComesFirstAndCostsNobodyTheTurn) {
  WaitingTicket ticket = Waiting("t1", 1);
  ticket.sticky_agent = "petrov";
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {"abramov"},
                             {Agent("abramov"), Agent("ivanova"), Agent("petrov")},
                             {ticket, Waiting("t2", 2)}, kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("petrov", "ivanova"));
  EXPECT_EQ(plan.decisions[0].chosen_by, "sticky");
  EXPECT_EQ(plan.decisions[0].cursor_after.last_agent, "abramov");
}

TEST(Preference, FormerHolderIsCheckedAgain) {
  Candidate absent = Agent("petrov");
  absent.on_leave = true;
  WaitingTicket ticket = Waiting("t1");
  ticket.sticky_agent = "petrov";
  const Plan plan =
      MakePlan(Mode(DistributionMode::kRoundRobin), {}, {Agent("ivanova"), absent}, {ticket}, kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("ivanova"));
  EXPECT_EQ(ReasonOf(plan.decisions[0], "petrov"), VerdictReason::kOnLeave);
}

TEST(Preference, RulesPersonBeatsTheFormerHolder) {
  WaitingTicket ticket = Waiting("t1");
  ticket.sticky_agent = "petrov";
  ticket.rule_assignee = "ivanova";
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {},
                             {Agent("ivanova"), Agent("petrov")}, {ticket}, kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("ivanova"));
  EXPECT_EQ(plan.decisions[0].chosen_by, "rule");
}

TEST(Rules, WaitForTheNamedPersonAndSayWhatFor) {
  const FlowRouting flow = Mode(DistributionMode::kRules);
  WaitingTicket ticket = Waiting("t1");
  ticket.rule_assignee = "petrov";
  Candidate petrov = Agent("petrov");
  const auto reason = [&] {
    return MakePlan(flow, {}, {Agent("ivanova"), petrov}, {ticket}, kNow).decisions[0].queue_reason;
  };
  EXPECT_EQ(reason(), QueueReason::kReady);
  petrov.active = 3;
  EXPECT_EQ(reason(), QueueReason::kAllAtCap);
  petrov.present = false;
  EXPECT_EQ(reason(), QueueReason::kNoAgentPresent);
  ticket.excluded = {"petrov"};
  EXPECT_EQ(reason(), QueueReason::kAllDeclined);
  ticket.rule_assignee = "sidorov";
  EXPECT_EQ(reason(), QueueReason::kNoMembers);
  ticket.rule_assignee = "";
  EXPECT_EQ(reason(), QueueReason::kManual);
}

TEST(ManualAndSelfPick, NeverAssignButStillExplain) {
  for (const auto& [mode, reason] :
       {std::pair{DistributionMode::kManual, QueueReason::kManual},
        std::pair{DistributionMode::kSelfPick, QueueReason::kSelfPick}}) {
    WaitingTicket ticket = Waiting("t1");
    ticket.sticky_agent = "ivanova";
    const Plan plan =
        MakePlan(Mode(mode), {"x"}, {Agent("ivanova"), Agent("petrov", 3, 3)}, {ticket}, kNow);
    EXPECT_THAT(plan.assignments, IsEmpty());
    EXPECT_EQ(plan.decisions[0].queue_reason, reason);
    EXPECT_TRUE(plan.decisions[0].verdicts[0].eligible);
    EXPECT_EQ(ReasonOf(plan.decisions[0], "petrov"), VerdictReason::kAtCap);
    EXPECT_EQ(plan.cursor.last_agent, "x");
  }
}

struct EligibilityCase {
  const char* name;
  void (*change)(Candidate&, WaitingTicket&, FlowRouting&);
  std::optional<VerdictReason> expected;
  QueueReason queue;
};

class Eligibility : public testing::TestWithParam<EligibilityCase> {};

TEST_P(Eligibility, IsTheSameForThePlanAndForEveryOtherPath) {
  Candidate candidate = Agent("ivanova", 1, 3);
  candidate.skills = {"1c", "network"};
  candidate.languages = {"ru"};
  WaitingTicket ticket = Waiting("t1");
  FlowRouting flow = Mode(DistributionMode::kRoundRobin);
  GetParam().change(candidate, ticket, flow);
  EXPECT_EQ(CheckEligible(candidate, ticket, flow), GetParam().expected);
  const Plan plan = MakePlan(flow, {}, {candidate}, {ticket}, kNow);
  EXPECT_EQ(plan.assignments.empty(), GetParam().expected.has_value());
  EXPECT_EQ(plan.decisions[0].verdicts[0].reason,
            GetParam().expected.value_or(VerdictReason::kChosen));
  EXPECT_EQ(plan.decisions[0].queue_reason, GetParam().queue);
}

INSTANTIATE_TEST_SUITE_P(
    Routing, Eligibility,
    testing::Values(
        EligibilityCase{"Free", [](Candidate&, WaitingTicket&, FlowRouting&) {}, std::nullopt,
                        QueueReason::kReady},
        EligibilityCase{"WrongLine", [](Candidate&, WaitingTicket& t, FlowRouting&) { t.line = 2; },
                        VerdictReason::kWrongLine, QueueReason::kNoMembers},
        EligibilityCase{
            "Declined",
            [](Candidate&, WaitingTicket& t, FlowRouting&) { t.excluded = {"ivanova"}; },
            VerdictReason::kDeclined, QueueReason::kAllDeclined},
        EligibilityCase{"HasSkill",
                        [](Candidate&, WaitingTicket& t, FlowRouting&) {
                          t.required_skills = {"network", "1c"};
                          t.required_language = "ru";
                        },
                        std::nullopt, QueueReason::kReady},
        EligibilityCase{"MissingSkill",
                        [](Candidate&, WaitingTicket& t, FlowRouting&) {
                          t.required_skills = {"network", "sap"};
                        },
                        VerdictReason::kMissingSkill, QueueReason::kNoMembers},
        EligibilityCase{
            "MissingLanguage",
            [](Candidate&, WaitingTicket& t, FlowRouting&) { t.required_language = "en"; },
            VerdictReason::kMissingLanguage, QueueReason::kNoMembers},
        EligibilityCase{"OnLeave",
                        [](Candidate& c, WaitingTicket&, FlowRouting&) { c.on_leave = true; },
                        VerdictReason::kOnLeave, QueueReason::kNoAgentPresent},
        EligibilityCase{"OutOfHoursWhereItMatters",
                        [](Candidate& c, WaitingTicket&, FlowRouting& f) {
                          c.in_working_hours = false;
                          f.working_hours_only = true;
                        },
                        VerdictReason::kOutOfHours, QueueReason::kOutOfHours},
        EligibilityCase{"OutOfHoursAndOffline",
                        [](Candidate& c, WaitingTicket&, FlowRouting& f) {
                          c.in_working_hours = c.present = false;
                          f.working_hours_only = true;
                        },
                        VerdictReason::kOutOfHours, QueueReason::kOutOfHours},
        EligibilityCase{
            "OutOfHoursWhereItDoesNot",
            [](Candidate& c, WaitingTicket&, FlowRouting&) { c.in_working_hours = false; },
            std::nullopt, QueueReason::kReady},
        EligibilityCase{"NotPresent",
                        [](Candidate& c, WaitingTicket&, FlowRouting&) {
                          c.present = false;
                          c.presence = "away";
                        },
                        VerdictReason::kNotPresent, QueueReason::kNoAgentPresent},
        EligibilityCase{"AtCap", [](Candidate& c, WaitingTicket&, FlowRouting&) { c.active = 3; },
                        VerdictReason::kAtCap, QueueReason::kAllAtCap},
        EligibilityCase{"CapLoweredBelowTheLoad",
                        [](Candidate& c, WaitingTicket&, FlowRouting&) { c.active = 5; },
                        VerdictReason::kAtCap, QueueReason::kAllAtCap},
        EligibilityCase{"NoCapAtAll",
                        [](Candidate& c, WaitingTicket&, FlowRouting& f) {
                          c.cap = 0;
                          c.active = -1;
                          f.mode = DistributionMode::kLeastLoaded;
                        },
                        VerdictReason::kAtCap, QueueReason::kAllAtCap},
        EligibilityCase{"AtTotalCap",
                        [](Candidate& c, WaitingTicket&, FlowRouting&) {
                          c.total_active = 5;
                          c.total_cap = 5;
                        },
                        VerdictReason::kAtTotalCap, QueueReason::kAllAtCap},
        EligibilityCase{"TotalWithoutACap",
                        [](Candidate& c, WaitingTicket&, FlowRouting&) { c.total_active = 500; },
                        std::nullopt, QueueReason::kReady}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(QueueReasonOfPass, NobodyInTheFlow) {
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {}, {}, {Waiting("t")}, kNow);
  EXPECT_EQ(plan.decisions[0].queue_reason, QueueReason::kNoMembers);
}

TEST(QueueReasonOfPass, OneWhoDeclinedDoesNotHideThatOthersAreBusy) {
  WaitingTicket ticket = Waiting("t");
  ticket.excluded = {"ivanova"};
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {},
                             {Agent("ivanova"), Agent("petrov", 3, 3)}, {ticket}, kNow);
  EXPECT_EQ(plan.decisions[0].queue_reason, QueueReason::kAllAtCap);
}

TEST(Pass, TotalCapOverFlowsHoldsWithinThePass) {
  Candidate candidate = Agent("ivanova", 0, 10);
  candidate.total_active = 4;
  candidate.total_cap = 5;
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {}, {candidate},
                             {Waiting("t1", 1), Waiting("t2", 2)}, kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("ivanova"));
  EXPECT_EQ(ReasonOf(plan.decisions[1], "ivanova"), VerdictReason::kAtTotalCap);
}

TEST(Pass, SecondRowOfOneEmployeeGivesNoSecondCap) {
  const Plan plan = MakePlan(Mode(DistributionMode::kRoundRobin), {},
                             {Agent("ivanova", 2, 3), Agent("ivanova", 0, 3)},
                             {Waiting("t1", 1), Waiting("t2", 2)}, kNow);
  EXPECT_THAT(Agents(plan), ElementsAre("ivanova"));
}

TEST(CursorText, KeepsEachLineAndIgnoresWhatItCannotRead) {
  Cursor cursor;
  EXPECT_EQ(cursor.Last(1), "");
  cursor.Advance(2, "boris");
  EXPECT_EQ(cursor.last_agent, ";2=boris");
  EXPECT_EQ(cursor.Last(1), "");
  cursor.Advance(1, "anna");
  cursor.Advance(3, "vera");
  EXPECT_EQ(cursor.last_agent, "anna;2=boris;3=vera");
  EXPECT_EQ(cursor.Last(2), "boris");
  EXPECT_EQ(cursor.Last(3), "vera");
  cursor.last_agent = "anna;x=what;2=boris;;";
  EXPECT_EQ(cursor.Last(1), "anna");
  EXPECT_EQ(cursor.Last(2), "boris");
}

TEST(Names, AreStableAndReadBack) {
  for (const DistributionMode mode :
       {DistributionMode::kRoundRobin, DistributionMode::kLeastLoaded, DistributionMode::kManual,
        DistributionMode::kSelfPick, DistributionMode::kRules}) {
    EXPECT_EQ(ParseDistributionMode(Name(mode)), mode);
  }
  EXPECT_EQ(Name(DistributionMode::kLeastLoaded), "least_loaded");
  EXPECT_EQ(Name(VerdictReason::kAtTotalCap), "AT_TOTAL_CAP");
  EXPECT_EQ(ParseQueueReason("NO_AGENT_PRESENT"), QueueReason::kNoAgentPresent);
  EXPECT_EQ(ParseDistributionMode("random"), std::nullopt);
  EXPECT_EQ(ParseQueueReason(""), std::nullopt);
}

}  // namespace
}  // namespace potok::desk
