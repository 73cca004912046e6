// Random routing passes for property tests: small alphabets, so that collisions (same skill, same
// decliner, equal loads, equal priorities) happen often.
#pragma once

#include <random>
#include <string>

#include "desk/routing/facts.h"

namespace potok::desk {

inline PlanFacts RandomFacts(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  PlanFacts facts;
  facts.at = absl::FromUnixMicros(1774900000123456);
  facts.flow.flow = "hr";
  facts.flow.mode = static_cast<DistributionMode>(below(5));
  facts.flow.working_hours_only = below(3) == 0;
  facts.flow.policy_version = 1 + below(9);
  facts.flow.ageing_step = absl::Minutes(below(3) * 15);
  const auto agent = [&] { return "agent-" + std::to_string(below(12)); };
  if (below(3) != 0) facts.cursor.Advance(1 + below(3), agent());
  for (int i = below(13); i > 0; --i) {
    Candidate c;
    c.employee = agent();
    c.line = 1 + below(4) / 3;
    c.present = below(5) != 0;
    c.presence = c.present ? "online" : "away";
    c.on_leave = below(8) == 0;
    c.in_working_hours = below(4) != 0;
    c.cap = below(5);
    c.active = below(4);
    if (below(3) == 0) c.total_active = c.active + below(3);
    if (below(2) == 0) c.total_cap = below(8);
    if (below(2) == 0) c.skills.push_back("1c");
    if (below(2) == 0) c.languages.push_back("ru");
    facts.candidates.push_back(c);
  }
  const int tickets = below(12);
  for (int i = 0; i < tickets; ++i) {
    WaitingTicket t;
    t.id = "ticket \"№\"\n" + std::to_string(i);
    t.number = "HR-" + std::to_string(i);
    t.line = 1 + below(5) / 4;
    t.priority = 1 + below(4);
    t.queued_at = facts.at - absl::Minutes(below(200));
    t.queued_seq = below(6);
    t.front = below(6) == 0;
    for (int k = below(4); k > 0; --k) t.excluded.push_back(agent());
    if (below(4) == 0) t.sticky_agent = agent();
    if (below(4) == 0) t.rule_assignee = agent();
    if (below(4) == 0) t.required_skills.push_back("1c");
    if (below(6) == 0) t.required_language = "ru";
    facts.tickets.push_back(t);
  }
  return facts;
}

}  // namespace potok::desk
