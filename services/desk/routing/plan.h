// Who gets which ticket: the routing policy of Potok, as the definition.
//
// Pure and total: every input yields a plan, the same input always yields the same plan, and each
// decision names why every candidate was or was not chosen. The router runs it inside the
// transaction that holds the locks; ExplainAssignment shows its decisions; replay runs it again on
// the stored facts. Thread-safe: free functions over values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::desk {

enum class DistributionMode {
  kRoundRobin,   // In turn, by employee id after the cursor.
  kLeastLoaded,  // Smallest share of the cap in use, then fewest tickets, then in turn.
  kManual,       // A person assigns; the plan never does.
  kSelfPick,     // Agents claim; the plan never assigns.
  kRules,        // Only the person that a rule of the flow named.
};

// Why a candidate was or was not chosen for a ticket.
enum class VerdictReason {
  kChosen,
  kNotChosen,  // Eligible, but another one came first.
  kWrongLine,
  kDeclined,
  kMissingSkill,
  kMissingLanguage,
  kOnLeave,
  kOutOfHours,
  kNotPresent,
  kAtTotalCap,
  kAtCap,
};

// Why a ticket is still in the queue after a pass; kReady for one that was assigned.
enum class QueueReason {
  kReady,
  kNoAgentPresent,
  kAllAtCap,
  kOutOfHours,
  kManual,
  kSelfPick,
  kAllDeclined,
  kNoMembers,  // Nobody on this line could ever take it: no agents, or none with the skill.
};

// Stored and shown names: "round_robin", "AT_CAP", "NO_AGENT_PRESENT". Never renamed.
absl::string_view Name(DistributionMode mode);
absl::string_view Name(VerdictReason reason);
absl::string_view Name(QueueReason reason);
std::optional<DistributionMode> ParseDistributionMode(absl::string_view name);
std::optional<QueueReason> ParseQueueReason(absl::string_view name);

// A member of the flow: those whom the plan chooses as seen under the lock on their load rows.
struct Candidate {
  std::string employee;  // Unique among the candidates of a pass.
  int line = 1;          // Support tier the member works on.
  bool present = false;  // Decides; `presence` only explains.
  std::string presence;  // "online", "away" or "offline".
  bool on_leave = false;
  bool in_working_hours = true;  // Decides only when the flow asks for it.
  int active = 0;                // Tickets held in this flow.
  int cap = 0;
  std::optional<int> total_active;  // Over all flows; checked when both are known.
  std::optional<int> total_cap;
  std::vector<std::string> skills;
  std::vector<std::string> languages;

  bool operator==(const Candidate&) const = default;
};

struct WaitingTicket {
  std::string id;
  std::string number;
  int line = 1;
  int priority = 3;  // 1 critical .. 4 low, as in desk::Ticket.
  absl::Time queued_at;
  int64_t queued_seq = 0;  // Order among equals; kept when the ticket comes back to the queue.
  bool front = false;  // Came back through no fault of its own (leave, return): ahead of others.
  std::vector<std::string> excluded;  // Employees who declined it.
  std::string sticky_agent;           // Former holder, preferred while eligible.
  std::string rule_assignee;          // Named by a rule of the flow; preferred over all.
  std::vector<std::string> required_skills;
  std::string required_language;  // Empty: any.

  bool operator==(const WaitingTicket&) const = default;
};

struct FlowRouting {
  std::string flow;
  DistributionMode mode = DistributionMode::kRoundRobin;
  bool working_hours_only = false;
  int policy_version = 1;
  // A waiting ticket gains one step of priority per this much wait, without end, so nothing
  // starves behind a stream of urgent ones. Zero or less: no ageing.
  absl::Duration ageing_step = absl::Minutes(30);

  bool operator==(const FlowRouting&) const = default;
};

// Where the ring of a flow stands: who got the last ticket, each line on its own, because a ring
// shared between lines would let a ticket of one line cost an agent of another line the turn.
// `last_agent` is also the stored text: the agent of line 1, then ";2=agent" for other lines in
// use.
struct Cursor {
  std::string last_agent;

  absl::string_view Last(int line) const;
  void Advance(int line, absl::string_view agent);

  bool operator==(const Cursor&) const = default;
};

struct CandidateVerdict {
  std::string employee;
  bool eligible = false;
  VerdictReason reason = VerdictReason::kNotChosen;
  // What was compared, lower first; -1 for an ineligible one. Round robin: places after the cursor
  // (0 = next in turn). Least loaded: millionths of the cap in use.
  int64_t score = -1;
  int active = 0;  // As counted when this ticket's turn came: earlier tickets of the pass included.
  int cap = 0;

  bool operator==(const CandidateVerdict&) const = default;
};

// The full record of one ticket's turn: enough to answer "why this person" and "why nobody".
struct Decision {
  std::string ticket;
  DistributionMode mode = DistributionMode::kRoundRobin;
  std::string chosen;  // Empty: the ticket stays in the queue for `queue_reason`.
  // Why the chosen one came first: "rule", "sticky", "turn" or "load"; empty when nobody was.
  std::string chosen_by;
  std::vector<CandidateVerdict> verdicts;  // By employee id; one for each candidate.
  Cursor cursor_before;
  Cursor cursor_after;
  int policy_version = 1;
  absl::Time at;
  QueueReason queue_reason = QueueReason::kReady;

  bool operator==(const Decision&) const = default;
};

struct Assignment {
  std::string ticket;
  std::string agent;

  bool operator==(const Assignment&) const = default;
};

struct Plan {
  std::vector<Assignment> assignments;  // In the order of the queue.
  std::vector<Decision> decisions;      // One for each ticket, in the order of the queue.
  Cursor cursor;                        // After the pass.

  bool operator==(const Plan&) const = default;
};

// Orders the tickets (front first, then aged priority, then queued_seq, then id) and gives each to
// the first of: the rule's person, the former holder, whoever the mode picks - if eligible. Loads
// grow as the plan assigns, so no cap is exceeded within a pass. A rule's person and a former
// holder do not move the ring: they would cost the next one in turn its place.
//
// Of candidates with the same employee only the first counts. O((tickets + log) * candidates).
Plan MakePlan(const FlowRouting& flow, const Cursor& cursor,
              const std::vector<Candidate>& candidates, const std::vector<WaitingTicket>& tickets,
              absl::Time now);

// Why `candidate` may not take `ticket`; nothing when eligible. The same rule for every path to a
// ticket: plan, manual assignment, transfer, self-pick. The most lasting obstacle is named first.
std::optional<VerdictReason> CheckEligible(const Candidate& candidate, const WaitingTicket& ticket,
                                           const FlowRouting& flow);

// Priority after ageing at `now`: `priority` less one per whole ageing step waited; may go below 1.
int64_t EffectivePriority(const WaitingTicket& ticket, const FlowRouting& flow, absl::Time now);

}  // namespace potok::desk
