#include "router/work/pass.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "desk/routing/facts.h"
#include "ledger/writer.h"
#include "platform/obs/log.h"
#include "router/store/routing_store.h"
#include "router/work/queue_reasons.h"

namespace potok::router {
namespace {

// Tickets whose assignment is refused although everything is locked are set aside one by one, so
// that a ticket nobody can explain does not stop its flow.
constexpr int kMaxSetAside = 5;

// Real time from the instant a ticket is queued to its commit. The instant is taken when the
// transaction begins, whose statements may take five seconds each and its pauses four
// (pg::PoolOptions, ledger.cc); 12 statements would be more than any has.
constexpr absl::Duration kLongestFiling = absl::Minutes(2);

bool CapsFollowDefinition(const std::vector<MemberFacts>& team) {
  return std::all_of(team.begin(), team.end(), [](const MemberFacts& member) {
    return member.cap.has_value() && *member.cap == member.wanted_cap;
  });
}

}  // namespace

// The body of the transaction; made anew for each attempt.
class Pass::InTx {
 public:
  InTx(pg::Tx& tx, std::shared_ptr<const ledger::ReferenceSnapshot> reference,
       const desk::Flow& flow, const Clock& clock, const std::set<std::string>& set_aside,
       bool lock_everybody, int reason_page, const ReasonSearch& search, ReasonWalk walk)
      : tx_(tx),
        reference_(std::move(reference)),
        flow_(flow),
        routing_(RoutingOf(flow)),
        set_aside_(set_aside),
        lock_everybody_(lock_everybody),
        reason_page_(reason_page),
        search_(search),
        walk_(std::move(walk)),
        locked_(LockFlow(tx, flow.id, kBatch)),
        now_(
            clock.Now()),  // After the wait for the ring: instants of one flow never run backwards.
        writer_(tx, reference_, now_) {}

  absl::StatusOr<PassResult> Run() {
    ReadCandidates();
    const std::vector<PendingMove>& pending = locked_.moves;
    std::vector<desk::Candidate> available;
    if (AssignsByItself(routing_.mode)) {
      std::copy_if(candidates_.begin(), candidates_.end(), std::back_inserter(available),
                   [&](const desk::Candidate& each) { return IsAvailable(each, routing_); });
    }
    std::vector<desk::WaitingTicket> waiting;
    if (!available.empty()) waiting = ReadQueueHead(tx_, routing_, available, now_, kBatch);
    const bool full = static_cast<int>(waiting.size()) >= kBatch;
    if (!waiting.empty() || !pending.empty()) {
      std::vector<std::string> head;
      for (const desk::WaitingTicket& each : waiting) head.push_back(each.id);
      Lock(head, pending,
           pending.empty() && !lock_everybody_ ? Wanted(std::move(waiting)) : Names(available));
      MoveLines(pending, &head);
      POTOK_RETURN_IF_ERROR(Assign(head));
      POTOK_RETURN_IF_ERROR(writer_.Flush());
      if (!made_.empty() || !(plan_.cursor == locked_.cursor)) {
        RecordPass(tx_, flow_.id, plan_.cursor, made_);
      }
    }
    result_.more = (full && result_.assigned > 0) ||
                   (static_cast<int>(pending.size()) == kBatch && result_.moved > 0);
    if (!result_.more) {
      result_.explained = true;
      const ReasonChanges changes =
          StoreReasons(tx_, routing_, candidates_, now_, reason_page_, search_, &walk_);
      result_.reasons = changes.written;
      result_.more = changes.more;
    }
    return result_;
  }

  const std::string& culprit() const { return culprit_; }
  const ReasonWalk& walk() const { return walk_; }
  // The plan came out differently under the locks and wants somebody who is not locked.
  bool wants_others() const { return wants_others_; }

 private:
  void ReadCandidates() {
    const int own_cap = flow_.options.max_active;
    team_ = ReadTeam(tx_, flow_.id, own_cap, now_);
    if (!CapsFollowDefinition(team_)) {
      AlignCaps(tx_, flow_.id, own_cap);
      team_ = ReadTeam(tx_, flow_.id, own_cap, now_);
    }
    candidates_ = CandidatesOf(*reference_, flow_, team_, now_);
  }

  static std::vector<std::string> Names(const std::vector<desk::Candidate>& candidates) {
    std::vector<std::string> names;
    for (const desk::Candidate& each : candidates) names.push_back(each.employee);
    return names;
  }

  // Whom the plan would choose by what was read without locks: of a large team they are few, and
  // the others' rows stay free for their own commands.
  std::vector<std::string> Wanted(std::vector<desk::WaitingTicket> waiting) const {
    desk::PlanFacts facts{routing_, locked_.cursor, candidates_, {}, now_};
    for (desk::WaitingTicket& each : waiting) {
      if (set_aside_.count(each.id) == 0) facts.tickets.push_back(std::move(each));
    }
    std::vector<std::string> wanted;
    for (const desk::Assignment& each : desk::MakePlan(facts).assignments) {
      wanted.push_back(each.agent);
    }
    return wanted;
  }

  void Lock(const std::vector<std::string>& head, const std::vector<PendingMove>& pending,
            const std::vector<std::string>& agents) {
    std::set<std::pair<std::string, std::string>> loads;
    for (const std::string& agent : agents) {
      loads.emplace(agent, flow_.id);
      loads.emplace(agent, "");
    }
    for (const PendingMove& move : pending) {
      if (move.holder.empty()) continue;
      loads.emplace(move.holder, flow_.id);
      loads.emplace(move.holder, "");
    }
    writer_.LockLoads({loads.begin(), loads.end()});
    std::set<std::string> tickets(head.begin(), head.end());
    for (const PendingMove& move : pending) tickets.insert(move.ticket);
    writer_.LockTickets({tickets.begin(), tickets.end()}, ledger::Writer::Wait::kNever);
  }

  // Makes the moves an escalation asked for; the tickets then take part in this very pass.
  void MoveLines(const std::vector<PendingMove>& pending, std::vector<std::string>* head) {
    for (const PendingMove& move : pending) {
      const desk::Ticket* ticket = writer_.Find(move.ticket);
      // Whoever holds it by now, their load row is not locked: the next pass looks again. A waiting
      // one moves when it is resumed.
      if (ticket == nullptr || ticket->assignee != move.holder ||
          ticket->pending_line <= ticket->line || ticket->state == desk::State::kWaiting) {
        continue;
      }
      const auto outcome = writer_.Stage(CommandFor(move.ticket, desk::ChangeLine{}));
      if (!outcome.ok()) {
        obs::LogWarn("router.move_refused",
                     "a line move that an escalation asked for is not possible",
                     {{"ticket", move.ticket}, {"error", outcome.status()}});
        continue;
      }
      ++result_.moved;
      if (std::find(head->begin(), head->end(), move.ticket) == head->end()) {
        head->push_back(move.ticket);
      }
    }
  }

  absl::Status Assign(const std::vector<std::string>& head) {
    // From here on the locked rows are the truth; of all others, what one statement read of them.
    // One who was full then stays full for this pass: whoever frees a slot wakes the next one.
    for (desk::Candidate& candidate : candidates_) {
      const desk::AgentLoad* load = writer_.Load(candidate.employee, flow_.id);
      if (load == nullptr) continue;
      candidate.active = load->active;
      candidate.cap = load->cap;
      if (const desk::AgentLoad* total = writer_.Load(candidate.employee, "")) {
        candidate.total_active = total->active;
        candidate.total_cap = total->cap;
      }
    }
    desk::PlanFacts facts{routing_, locked_.cursor, candidates_, {}, now_};
    for (const std::string& id : head) {
      const desk::Ticket* ticket = writer_.Find(id);
      if (ticket == nullptr || ticket->state != desk::State::kQueued || set_aside_.count(id) > 0 ||
          reference_->FlowVersion(ticket->flow_id, ticket->flow_version) == nullptr) {
        continue;
      }
      facts.tickets.push_back(WaitingOf(*ticket));
    }
    plan_ = desk::MakePlan(facts);
    // More locks now might wait in a circle with somebody else's.
    wants_others_ = std::any_of(plan_.assignments.begin(), plan_.assignments.end(),
                                [&](const desk::Assignment& each) {
                                  return writer_.Load(each.agent, flow_.id) == nullptr;
                                });
    if (wants_others_) return absl::FailedPreconditionError("the loads have changed meanwhile");
    for (size_t i = 0; i < plan_.decisions.size(); ++i) {
      const desk::Decision& decision = plan_.decisions[i];
      if (decision.chosen.empty()) continue;
      const auto outcome = writer_.Stage(
          CommandFor(decision.ticket,
                     desk::AssignTicket{decision.chosen, std::string(desk::Name(routing_.mode))}));
      if (!outcome.ok()) {
        culprit_ = decision.ticket;
        return outcome.status();
      }
      made_.push_back({outcome->ticket.part,
                       outcome->event.version,
                       flow_.version,
                       {desk::FactsOfDecision(facts, plan_, i), decision}});
      ++result_.assigned;
    }
    for (const desk::Assignment& assignment : plan_.assignments) {
      for (desk::Candidate& candidate : candidates_) {
        if (candidate.employee != assignment.agent) continue;
        ++candidate.active;
        if (candidate.total_active.has_value()) ++*candidate.total_active;
      }
    }
    return absl::OkStatus();
  }

  const desk::Command& CommandFor(const std::string& ticket, desk::Action action) {
    desk::Command command;
    command.ticket_id = ticket;
    command.viewer = desk::SystemViewer();
    command.method = "Pass";
    command.action = std::move(action);
    // The writer keeps the address until Flush; a deque never moves what is in it.
    return commands_.emplace_back(std::move(command));
  }

  pg::Tx& tx_;
  const std::shared_ptr<const ledger::ReferenceSnapshot> reference_;
  const desk::Flow& flow_;
  const desk::FlowRouting routing_;
  const std::set<std::string>& set_aside_;
  const bool lock_everybody_;
  const int reason_page_;
  const ReasonSearch search_;
  ReasonWalk walk_;
  const LockedFlow locked_;
  const absl::Time now_;
  ledger::Writer writer_;
  std::deque<desk::Command> commands_;
  std::vector<MemberFacts> team_;
  std::vector<desk::Candidate> candidates_;
  desk::Plan plan_;
  std::vector<MadeDecision> made_;
  PassResult result_;
  std::string culprit_;
  bool wants_others_ = false;
};

Pass::Pass(pg::Pool& pool, ledger::Reference& reference, const Clock& clock, RouterMetrics& metrics,
           std::function<void()> on_commit, int reason_page)
    : pool_(pool),
      reference_(reference),
      clock_(clock),
      metrics_(metrics),
      on_commit_(std::move(on_commit)),
      reason_page_(reason_page) {}

absl::StatusOr<PassResult> Pass::Run(const std::string& flow_id, bool thorough) {
  const auto started = std::chrono::steady_clock::now();
  auto reference = reference_.Snapshot();
  if (reference->Flow(flow_id) == nullptr) {
    // Published a moment ago by another process.
    POTOK_RETURN_IF_ERROR(reference_.Refresh());
    reference = reference_.Snapshot();
    if (reference->Flow(flow_id) == nullptr) {
      return absl::NotFoundError(absl::StrCat("flow ", flow_id, " has tickets but no definition"));
    }
  }
  const desk::Flow& flow = *reference->Flow(flow_id);
  std::set<std::string> set_aside;
  bool lock_everybody = false;
  const ReasonSearch search{.step = thorough, .longest_filing = clock_.ToBusiness(kLongestFiling)};
  ReasonWalk walk;
  {
    absl::MutexLock lock(&mu_);
    walk = walks_[flow_id];
  }
  while (true) {
    ReasonWalk walked;
    std::string culprit;
    bool wants_others = false;
    absl::StatusOr<PassResult> result =
        pg::InTransaction(pool_, {}, [&](pg::Tx& tx) -> absl::StatusOr<PassResult> {
          culprit.clear();
          InTx pass(tx, reference, flow, clock_, set_aside, lock_everybody, reason_page_, search,
                    walk);
          absl::StatusOr<PassResult> made = pass.Run();
          culprit = pass.culprit();
          wants_others = pass.wants_others();
          walked = pass.walk();
          return made;
        });
    if (!result.ok() && wants_others && !lock_everybody) {
      lock_everybody = true;
      continue;
    }
    if (!result.ok() && !culprit.empty() && static_cast<int>(set_aside.size()) < kMaxSetAside) {
      obs::LogError("router.set_aside", "a ticket cannot be assigned and is left out of this pass",
                    {{"ticket", culprit}, {"flow", flow_id}, {"error", result.status()}});
      set_aside.insert(culprit);
      continue;
    }
    if (!result.ok()) return result;
    {
      absl::MutexLock lock(&mu_);
      walks_[flow_id] = walked;
    }
    metrics_.Assigned(std::string(desk::Name(flow.mode)), result->assigned);
    metrics_.no_candidate.Increment(result->reasons);
    metrics_.decision_seconds.Observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    if (on_commit_ && result->assigned + result->moved > 0) on_commit_();
    return result;
  }
}

absl::StatusOr<PassResult> Pass::Drain(const std::string& flow) {
  PassResult sum;
  do {
    POTOK_ASSIGN_OR_RETURN(const PassResult one, Run(flow, /*thorough=*/true));
    sum.assigned += one.assigned;
    sum.moved += one.moved;
    sum.reasons += one.reasons;
    sum.more = one.more;
  } while (sum.more);
  return sum;
}

}  // namespace potok::router
