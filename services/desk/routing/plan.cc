#include "desk/routing/plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace potok::desk {
namespace {

bool Contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::map<int, std::string> ParseCursor(absl::string_view text) {
  std::map<int, std::string> last;
  int line = 1;
  for (absl::string_view part : absl::StrSplit(text, ';')) {
    const size_t equals = part.find('=');
    if (equals != absl::string_view::npos) {
      // A part nobody can read is dropped: a lost turn is better than a stopped flow.
      if (!absl::SimpleAtoi(part.substr(0, equals), &line)) continue;
      part.remove_prefix(equals + 1);
    }
    if (!part.empty()) last[line] = std::string(part);
  }
  return last;
}

// Stored instants have microseconds; what a replay reads back must decide as the original did.
absl::Time ToStored(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

// `active` and `total_active` stand apart from the candidate because they grow during a pass.
std::optional<VerdictReason> Obstacle(const Candidate& candidate, int active,
                                      std::optional<int> total_active, const WaitingTicket& ticket,
                                      const FlowRouting& flow) {
  if (candidate.line != ticket.line) return VerdictReason::kWrongLine;
  if (Contains(ticket.excluded, candidate.employee)) return VerdictReason::kDeclined;
  for (const std::string& skill : ticket.required_skills) {
    if (!Contains(candidate.skills, skill)) return VerdictReason::kMissingSkill;
  }
  if (!ticket.required_language.empty() &&
      !Contains(candidate.languages, ticket.required_language)) {
    return VerdictReason::kMissingLanguage;
  }
  if (candidate.on_leave) return VerdictReason::kOnLeave;
  if (flow.working_hours_only && !candidate.in_working_hours) return VerdictReason::kOutOfHours;
  if (!candidate.present) return VerdictReason::kNotPresent;
  if (total_active.has_value() && candidate.total_cap.has_value() &&
      *total_active >= *candidate.total_cap) {
    return VerdictReason::kAtTotalCap;
  }
  if (candidate.cap <= 0 || active >= candidate.cap) return VerdictReason::kAtCap;
  return std::nullopt;
}

// One pass over the queue. Candidates are kept sorted by employee id, which is the ring order.
class Pass {
 public:
  Pass(const FlowRouting& flow, const Cursor& cursor, const std::vector<Candidate>& candidates,
       absl::Time now)
      : flow_(flow), now_(ToStored(now)) {
    plan_.cursor = cursor;
    ring_.reserve(candidates.size());
    for (const Candidate& candidate : candidates) {
      ring_.push_back({&candidate, candidate.active, candidate.total_active});
    }
    const auto before = [](const Member& a, const Member& b) {
      return a.facts->employee < b.facts->employee;
    };
    // The store reads them sorted; checking costs a tenth of sorting again.
    if (!std::is_sorted(ring_.begin(), ring_.end(), before)) {
      std::stable_sort(ring_.begin(), ring_.end(), before);
    }
    ring_.erase(std::unique(ring_.begin(), ring_.end(),
                            [](const Member& a, const Member& b) {
                              return a.facts->employee == b.facts->employee;
                            }),
                ring_.end());
  }

  void Decide(const WaitingTicket& ticket) {
    Decision decision;
    decision.ticket = ticket.id;
    decision.mode = flow_.mode;
    decision.cursor_before = plan_.cursor;
    decision.policy_version = flow_.policy_version;
    decision.at = now_;
    decision.verdicts.reserve(ring_.size());
    const size_t start = RingStart(ticket.line);
    for (size_t i = 0; i < ring_.size(); ++i) {
      decision.verdicts.push_back(Judge(ring_[i], ticket, RingDistance(i, start)));
    }

    const size_t chosen = Choose(ticket, start, decision);
    if (chosen == kNobody) {
      decision.queue_reason = WhyQueued(ticket, decision.verdicts);
    } else {
      Take(ticket, chosen, decision);
    }
    decision.cursor_after = plan_.cursor;
    plan_.decisions.push_back(std::move(decision));
  }

  Plan Finish() && { return std::move(plan_); }

 private:
  static constexpr size_t kNobody = static_cast<size_t>(-1);

  struct Member {
    const Candidate* facts;
    int active;  // Grows as the plan assigns.
    std::optional<int> total_active;
  };

  CandidateVerdict Judge(const Member& member, const WaitingTicket& ticket, size_t distance) const {
    CandidateVerdict verdict;
    verdict.employee = member.facts->employee;
    verdict.active = member.active;
    verdict.cap = member.facts->cap;
    const std::optional<VerdictReason> obstacle =
        Obstacle(*member.facts, member.active, member.total_active, ticket, flow_);
    verdict.eligible = !obstacle.has_value();
    if (obstacle.has_value()) {
      verdict.reason = *obstacle;
    } else if (flow_.mode == DistributionMode::kLeastLoaded) {
      verdict.score = int64_t{1000000} * member.active / member.facts->cap;
    } else {
      verdict.score = static_cast<int64_t>(distance);
    }
    return verdict;
  }

  // Place of the one whose turn is next on this line.
  size_t RingStart(int line) const {
    const absl::string_view last = plan_.cursor.Last(line);
    const auto next = std::upper_bound(
        ring_.begin(), ring_.end(), last,
        [](absl::string_view id, const Member& member) { return id < member.facts->employee; });
    return next == ring_.end() ? 0 : static_cast<size_t>(next - ring_.begin());
  }

  size_t RingDistance(size_t i, size_t start) const {
    return i >= start ? i - start : i + ring_.size() - start;
  }

  // Compares shares of the cap exactly: the rounded score could call 1/3 and 333333/1000000 equal.
  bool LessLoaded(size_t a, size_t b, size_t start) const {
    const int64_t left = int64_t{ring_[a].active} * ring_[b].facts->cap;
    const int64_t right = int64_t{ring_[b].active} * ring_[a].facts->cap;
    if (left != right) return left < right;
    if (ring_[a].active != ring_[b].active) return ring_[a].active < ring_[b].active;
    return RingDistance(a, start) < RingDistance(b, start);
  }

  size_t EligibleNamed(const std::string& employee,
                       const std::vector<CandidateVerdict>& verdicts) const {
    if (employee.empty()) return kNobody;
    const auto found = std::lower_bound(verdicts.begin(), verdicts.end(), employee,
                                        [](const CandidateVerdict& verdict, const std::string& id) {
                                          return verdict.employee < id;
                                        });
    if (found == verdicts.end() || found->employee != employee || !found->eligible) return kNobody;
    return static_cast<size_t>(found - verdicts.begin());
  }

  size_t Choose(const WaitingTicket& ticket, size_t start, Decision& decision) const {
    if (flow_.mode == DistributionMode::kManual || flow_.mode == DistributionMode::kSelfPick) {
      return kNobody;
    }
    size_t chosen = EligibleNamed(ticket.rule_assignee, decision.verdicts);
    if (chosen != kNobody) {
      decision.chosen_by = "rule";
      return chosen;
    }
    if (flow_.mode == DistributionMode::kRules) return kNobody;
    chosen = EligibleNamed(ticket.sticky_agent, decision.verdicts);
    if (chosen != kNobody) {
      decision.chosen_by = "sticky";
      return chosen;
    }
    const bool by_load = flow_.mode == DistributionMode::kLeastLoaded;
    for (size_t i = 0; i < ring_.size(); ++i) {
      if (!decision.verdicts[i].eligible) continue;
      if (chosen == kNobody || (by_load ? LessLoaded(i, chosen, start)
                                        : RingDistance(i, start) < RingDistance(chosen, start))) {
        chosen = i;
      }
    }
    if (chosen != kNobody) decision.chosen_by = by_load ? "load" : "turn";
    return chosen;
  }

  void Take(const WaitingTicket& ticket, size_t chosen, Decision& decision) {
    Member& member = ring_[chosen];
    ++member.active;
    if (member.total_active.has_value()) ++*member.total_active;
    decision.chosen = member.facts->employee;
    decision.verdicts[chosen].reason = VerdictReason::kChosen;
    if (decision.chosen_by == "turn" || decision.chosen_by == "load") {
      plan_.cursor.Advance(ticket.line, decision.chosen);
    }
    plan_.assignments.push_back({ticket.id, decision.chosen});
  }

  // The reason that, removed, brings the ticket closest to somebody: it tells the flow admin what
  // to do, so lasting causes (nobody on the line) come before passing ones (all are busy).
  QueueReason WhyQueued(const WaitingTicket& ticket,
                        const std::vector<CandidateVerdict>& verdicts) const {
    if (flow_.mode == DistributionMode::kManual) return QueueReason::kManual;
    if (flow_.mode == DistributionMode::kSelfPick) return QueueReason::kSelfPick;
    const bool rules = flow_.mode == DistributionMode::kRules;
    // A rule that named nobody leaves the choice to a person.
    if (rules && ticket.rule_assignee.empty()) return QueueReason::kManual;

    bool declined = false;
    bool capable = false;
    bool full = false;
    bool in_hours = false;
    for (size_t i = 0; i < verdicts.size(); ++i) {
      if (rules && verdicts[i].employee != ticket.rule_assignee) continue;
      switch (verdicts[i].reason) {
        case VerdictReason::kDeclined: declined = true; continue;
        case VerdictReason::kWrongLine:
        case VerdictReason::kMissingSkill:
        case VerdictReason::kMissingLanguage: continue;
        case VerdictReason::kAtCap:
        case VerdictReason::kAtTotalCap: full = true; break;
        default: break;
      }
      capable = true;
      in_hours |= ring_[i].facts->in_working_hours;
    }
    if (!capable) return declined ? QueueReason::kAllDeclined : QueueReason::kNoMembers;
    if (full) return QueueReason::kAllAtCap;
    if (flow_.working_hours_only && !in_hours) return QueueReason::kOutOfHours;
    return QueueReason::kNoAgentPresent;
  }

  const FlowRouting& flow_;
  const absl::Time now_;
  std::vector<Member> ring_;
  Plan plan_;
};

}  // namespace

absl::string_view Cursor::Last(int line) const {
  absl::string_view found;
  int at = 1;
  for (absl::string_view part : absl::StrSplit(last_agent, ';')) {
    const size_t equals = part.find('=');
    if (equals != absl::string_view::npos) {
      if (!absl::SimpleAtoi(part.substr(0, equals), &at)) continue;
      part.remove_prefix(equals + 1);
    }
    if (at == line && !part.empty()) found = part;
  }
  return found;
}

void Cursor::Advance(int line, absl::string_view agent) {
  std::map<int, std::string> last = ParseCursor(last_agent);
  last[line] = std::string(agent);
  std::string text;
  for (const auto& [number, id] : last) {
    if (number == 1) {
      text = id;
    } else {
      absl::StrAppend(&text, ";", number, "=", id);
    }
  }
  last_agent = std::move(text);
}

int64_t EffectivePriority(const WaitingTicket& ticket, const FlowRouting& flow, absl::Time now) {
  constexpr int64_t kMaxSteps = 1000000000;  // Keeps the sum far from overflow for any instant.
  const absl::Duration step = absl::Microseconds(absl::ToInt64Microseconds(flow.ageing_step));
  const absl::Duration waited = ToStored(now) - ToStored(ticket.queued_at);
  if (step <= absl::ZeroDuration() || waited <= absl::ZeroDuration()) return ticket.priority;
  absl::Duration rest;
  return ticket.priority - std::min(kMaxSteps, absl::IDivDuration(waited, step, &rest));
}

std::optional<VerdictReason> CheckEligible(const Candidate& candidate, const WaitingTicket& ticket,
                                           const FlowRouting& flow) {
  return Obstacle(candidate, candidate.active, candidate.total_active, ticket, flow);
}

Plan MakePlan(const FlowRouting& flow, const Cursor& cursor,
              const std::vector<Candidate>& candidates, const std::vector<WaitingTicket>& tickets,
              absl::Time now) {
  std::vector<std::pair<int64_t, const WaitingTicket*>> queue;
  queue.reserve(tickets.size());
  for (const WaitingTicket& ticket : tickets) {
    queue.emplace_back(EffectivePriority(ticket, flow, now), &ticket);
  }
  std::sort(queue.begin(), queue.end(), [](const auto& a, const auto& b) {
    if (a.second->front != b.second->front) return a.second->front;
    if (a.first != b.first) return a.first < b.first;
    if (a.second->queued_seq != b.second->queued_seq) {
      return a.second->queued_seq < b.second->queued_seq;
    }
    return a.second->id < b.second->id;
  });

  Pass pass(flow, cursor, candidates, now);
  for (const auto& [priority, ticket] : queue) pass.Decide(*ticket);
  return std::move(pass).Finish();
}

}  // namespace potok::desk
