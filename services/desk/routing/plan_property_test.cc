// What must hold for every pass, checked on thousands of random ones and, where the rule can be
// stated another way, against a slow and obvious second statement of it.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "desk/routing/plan.h"
#include "desk/routing/random_facts.h"

namespace potok::desk {
namespace {

constexpr unsigned kPasses = 4000;

std::map<std::string, Candidate> ByEmployee(const PlanFacts& facts) {
  std::map<std::string, Candidate> out;
  for (const Candidate& candidate : facts.candidates) out.emplace(candidate.employee, candidate);
  return out;
}

const WaitingTicket& TicketOf(const PlanFacts& facts, const std::string& id) {
  return *std::find_if(facts.tickets.begin(), facts.tickets.end(),
                       [&](const WaitingTicket& ticket) { return ticket.id == id; });
}

TEST(EveryPass, NeverExceedsACapNorChoosesTheIneligible) {
  for (unsigned seed = 0; seed < kPasses; ++seed) {
    SCOPED_TRACE(seed);
    const PlanFacts facts = RandomFacts(seed);
    std::map<std::string, Candidate> now = ByEmployee(facts);
    for (const Assignment& assignment : MakePlan(facts).assignments) {
      ASSERT_TRUE(now.contains(assignment.agent));
      Candidate& agent = now.at(assignment.agent);
      const WaitingTicket& ticket = TicketOf(facts, assignment.ticket);
      ASSERT_EQ(CheckEligible(agent, ticket, facts.flow), std::nullopt);
      ASSERT_TRUE(agent.present);
      ASSERT_FALSE(agent.on_leave);
      ASSERT_TRUE(agent.in_working_hours || !facts.flow.working_hours_only);
      ASSERT_EQ(std::count(ticket.excluded.begin(), ticket.excluded.end(), agent.employee), 0);
      ++agent.active;
      if (agent.total_active.has_value()) ++*agent.total_active;
      ASSERT_LE(agent.active, agent.cap);
      if (agent.total_active.has_value() && agent.total_cap.has_value()) {
        ASSERT_LE(*agent.total_active, *agent.total_cap);
      }
    }
  }
}

TEST(EveryPass, DecidesEachTicketOnceAndLeavesNobodyWhoCouldBeServed) {
  for (unsigned seed = 0; seed < kPasses; ++seed) {
    SCOPED_TRACE(seed);
    const PlanFacts facts = RandomFacts(seed);
    const Plan plan = MakePlan(facts);
    std::set<std::string> decided;
    size_t assigned = 0;
    std::map<std::string, Candidate> now = ByEmployee(facts);
    for (const Decision& decision : plan.decisions) {
      ASSERT_TRUE(decided.insert(decision.ticket).second);
      const WaitingTicket& ticket = TicketOf(facts, decision.ticket);
      bool somebody = false;
      int chosen = 0;
      ASSERT_EQ(decision.verdicts.size(), now.size());
      for (const CandidateVerdict& verdict : decision.verdicts) {
        const auto obstacle = CheckEligible(now.at(verdict.employee), ticket, facts.flow);
        ASSERT_EQ(verdict.eligible, !obstacle.has_value());
        ASSERT_TRUE(verdict.eligible || verdict.reason == *obstacle);
        ASSERT_EQ(verdict.active, now.at(verdict.employee).active);
        ASSERT_EQ(verdict.score >= 0, verdict.eligible);
        somebody |= verdict.eligible;
        chosen += verdict.reason == VerdictReason::kChosen ? 1 : 0;
      }
      ASSERT_EQ(chosen, decision.chosen.empty() ? 0 : 1);
      ASSERT_EQ(decision.chosen.empty(), decision.queue_reason != QueueReason::kReady);
      ASSERT_EQ(decision.chosen.empty(), decision.chosen_by.empty());
      const bool automatic = facts.flow.mode == DistributionMode::kRoundRobin ||
                             facts.flow.mode == DistributionMode::kLeastLoaded;
      ASSERT_TRUE(!automatic || somebody == !decision.chosen.empty());
      if (decision.chosen.empty()) continue;
      ASSERT_EQ(plan.assignments[assigned].ticket, decision.ticket);
      ASSERT_EQ(plan.assignments[assigned].agent, decision.chosen);
      ++assigned;
      Candidate& agent = now.at(decision.chosen);
      ++agent.active;
      if (agent.total_active.has_value()) ++*agent.total_active;
    }
    ASSERT_EQ(decided.size(), facts.tickets.size());
    ASSERT_EQ(assigned, plan.assignments.size());
  }
}

TEST(EveryPass, IsTheSameWhateverTheOrderOfTheInput) {
  for (unsigned seed = 0; seed < kPasses; ++seed) {
    SCOPED_TRACE(seed);
    PlanFacts facts = RandomFacts(seed);
    // Of two rows of one employee the first counts, so only distinct ones may be shuffled.
    facts.candidates.clear();
    for (const auto& [employee, candidate] : ByEmployee(RandomFacts(seed))) {
      facts.candidates.push_back(candidate);
    }
    const Plan plan = MakePlan(facts);
    std::mt19937 random(seed);
    std::shuffle(facts.candidates.begin(), facts.candidates.end(), random);
    std::shuffle(facts.tickets.begin(), facts.tickets.end(), random);
    ASSERT_EQ(MakePlan(facts), plan);
  }
}

// The choice of each mode, stated by sorting all eligible candidates instead of scanning a ring.
std::string SlowChoice(const FlowRouting& flow, const Cursor& cursor,
                       const std::map<std::string, Candidate>& now, const WaitingTicket& ticket) {
  std::vector<Candidate> eligible;
  for (const auto& [employee, candidate] : now) {
    if (!CheckEligible(candidate, ticket, flow).has_value()) eligible.push_back(candidate);
  }
  const auto named = [&](const std::string& id) {
    return std::any_of(eligible.begin(), eligible.end(),
                       [&](const Candidate& candidate) { return candidate.employee == id; });
  };
  if (flow.mode == DistributionMode::kManual || flow.mode == DistributionMode::kSelfPick) return "";
  if (named(ticket.rule_assignee)) return ticket.rule_assignee;
  if (flow.mode == DistributionMode::kRules) return "";
  if (named(ticket.sticky_agent)) return ticket.sticky_agent;
  const std::string last(cursor.Last(ticket.line));
  std::sort(eligible.begin(), eligible.end(), [&](const Candidate& a, const Candidate& b) {
    if (flow.mode == DistributionMode::kLeastLoaded) {
      const long double left = static_cast<long double>(a.active) / a.cap;
      const long double right = static_cast<long double>(b.active) / b.cap;
      if (left != right) return left < right;
      if (a.active != b.active) return a.active < b.active;
    }
    const bool a_wraps = a.employee <= last;
    const bool b_wraps = b.employee <= last;
    if (a_wraps != b_wraps) return b_wraps;
    return a.employee < b.employee;
  });
  return eligible.empty() ? "" : eligible.front().employee;
}

TEST(EveryPass, ChoosesWhatTheSlowStatementOfTheModeChooses) {
  for (unsigned seed = 0; seed < kPasses; ++seed) {
    SCOPED_TRACE(seed);
    const PlanFacts facts = RandomFacts(seed);
    std::map<std::string, Candidate> now = ByEmployee(facts);
    Cursor cursor = facts.cursor;
    for (const Decision& decision : MakePlan(facts).decisions) {
      const WaitingTicket& ticket = TicketOf(facts, decision.ticket);
      ASSERT_EQ(decision.cursor_before, cursor);
      ASSERT_EQ(decision.chosen, SlowChoice(facts.flow, cursor, now, ticket));
      cursor = decision.cursor_after;
      if (decision.chosen.empty()) continue;
      Candidate& agent = now.at(decision.chosen);
      ++agent.active;
      if (agent.total_active.has_value()) ++*agent.total_active;
    }
  }
}

TEST(RoundRobinFairness, SpreadStaysWithinOneOverManyPasses) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const int agents = 1 + static_cast<int>(random() % 20);
    std::vector<Candidate> candidates;
    for (int i = 0; i < agents; ++i) {
      Candidate candidate;
      candidate.employee = "agent-" + std::to_string(i);
      candidate.present = true;
      candidate.cap = 1000000;
      candidates.push_back(candidate);
    }
    FlowRouting flow;
    Cursor cursor;
    std::map<std::string, int> counts;
    for (const Candidate& candidate : candidates) counts[candidate.employee] = 0;
    int64_t seq = 0;
    for (int pass = 0; pass < 30; ++pass) {
      std::vector<WaitingTicket> tickets(random() % 7);
      for (WaitingTicket& ticket : tickets) {
        ticket.id = std::to_string(++seq);
        ticket.queued_seq = seq;
      }
      const Plan plan = MakePlan(flow, cursor, candidates, tickets, absl::UnixEpoch());
      cursor = plan.cursor;
      for (const Assignment& assignment : plan.assignments) ++counts[assignment.agent];
      const auto [low, high] =
          std::minmax_element(counts.begin(), counts.end(),
                              [](const auto& a, const auto& b) { return a.second < b.second; });
      ASSERT_LE(high->second - low->second, 1);
    }
  }
}

TEST(Ageing, LowPriorityTicketIsServedWithinABoundUnderAStreamOfCriticalOnes) {
  FlowRouting flow;
  Candidate candidate;
  candidate.employee = "ivanova";
  candidate.present = true;
  candidate.cap = 1;
  std::vector<WaitingTicket> queue(1);
  queue[0].id = "patient";
  queue[0].priority = 4;
  queue[0].queued_at = absl::UnixEpoch();
  // Two critical tickets arrive a minute and one is served: without ageing "patient" never is.
  bool served = false;
  int minute = 0;
  for (; minute < 600 && !served; ++minute) {
    const absl::Time now = absl::UnixEpoch() + absl::Minutes(minute);
    for (int i = 0; i < 2; ++i) {
      WaitingTicket ticket;
      ticket.id = "urgent-" + std::to_string(minute) + "-" + std::to_string(i);
      ticket.priority = 1;
      ticket.queued_at = now;
      ticket.queued_seq = minute * 10 + i + 1;
      queue.push_back(ticket);
    }
    const Plan plan = MakePlan(flow, {}, {candidate}, queue, now);
    ASSERT_EQ(plan.assignments.size(), 1u);
    const std::string id = plan.assignments[0].ticket;
    served = id == "patient";
    std::erase_if(queue, [&](const WaitingTicket& ticket) { return ticket.id == id; });
  }
  EXPECT_TRUE(served);
  // It overtakes everything younger than three steps of 30 minutes; the backlog ahead is bounded.
  EXPECT_LE(minute, 200);
}

}  // namespace
}  // namespace potok::desk
