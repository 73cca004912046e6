#include "simulation/routing.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "desk/routing/plan.h"
#include "simulation/event_queue.h"
#include "simulation/random.h"
#include "simulation/trace.h"

namespace potok::simulation {
namespace {

using desk::Candidate;
using desk::DistributionMode;
using desk::WaitingTicket;

struct Agent {
  std::string id;
  bool present = true;
  bool on_leave = false;
  std::optional<int> total_cap;
  std::vector<std::string> skills;
};

struct Member {
  int agent = 0;
  int line = 1;
  int cap = 1;
};

struct Request {
  WaitingTicket waiting;
  int flow = 0;
  int holder = -1;  // agent, or nobody
  bool open = true;
};

struct Flow {
  desk::FlowRouting routing;
  desk::Cursor cursor;
  std::vector<Member> members;
  // Turns taken since anything last changed that could make them uneven; by line and agent.
  std::map<std::pair<int, int>, int> turns;
};

class RoutingWorld {
 public:
  RoutingWorld(std::uint64_t seed, RoutingFlaw flaw, bool tell)
      : flaw_(flaw), trace_(tell), random_(seed) {}

  RoutingResult Run();

 private:
  template <class... A>
  void Violate(const A&... parts) {
    if (!result_.violation) result_.violation = absl::StrCat(parts...);
  }
  template <class... A>
  void Say(const A&... parts) {
    trace_.Say(now_, parts...);
  }
  int Some(size_t count) {
    return static_cast<int>(random_.Below(static_cast<std::int64_t>(count)));
  }
  absl::Time Now() const { return absl::FromUnixMicros(now_); }

  void Build();
  void File();
  void Pass(int flow, bool alone);
  std::vector<WaitingTicket> Queue(int flow) const;
  desk::Plan PlanUnderLocks(int flow, std::vector<Candidate> read,
                            std::vector<WaitingTicket>* tickets);
  void Finish();
  void Decline();
  void TakeByHand();
  void Change();
  void ReturnAll(int agent);
  void Release(Request& request);
  void Give(Request& request, int agent);

  int Active(int flow, int agent) const;
  int Total(int agent) const;
  int Counted(int flow, int agent) const {
    const auto found = loads_.find({flow, agent});
    return found == loads_.end() ? 0 : found->second;
  }
  std::vector<Candidate> Candidates(int flow, bool true_loads) const;
  bool MayTake(const Request& request, const Member& member) const;
  void CheckCaps();
  void CheckOrder(const desk::Plan& plan, const std::vector<WaitingTicket>& tickets, int flow);
  void CheckNobodyIdle(int flow);
  void CheckFair(int flow);
  void Uneven(int flow) { flows_[static_cast<size_t>(flow)].turns.clear(); }
  void AllUneven() {
    for (Flow& flow : flows_) flow.turns.clear();
  }

  const RoutingFlaw flaw_;
  const Trace trace_;
  Random random_;
  Micros now_ = 1'800'000'000 * kSecond;
  bool plain_ = false;  // everybody may take everything: turns must be even
  std::vector<Agent> agents_;
  std::vector<Flow> flows_;
  std::vector<Request> requests_;
  std::map<std::pair<int, int>, int> loads_;  // ledger.agent_load: by flow and agent
  std::map<std::pair<int, int>, int> stale_loads_;
  RoutingResult result_;
};

void RoutingWorld::Build() {
  plain_ = random_.Chance(0.3);
  for (std::int64_t i = random_.Between(1, 7); i > 0; --i) {
    Agent agent{.id = absl::StrCat("agent-", agents_.size()),
                .present = plain_ || random_.Chance(0.8),
                .on_leave = false,
                .total_cap = {},
                .skills = {}};
    if (!plain_ && random_.Chance(0.3)) agent.total_cap = static_cast<int>(random_.Between(0, 5));
    if (random_.Chance(0.5)) agent.skills.push_back("1c");
    agents_.push_back(agent);
  }
  for (std::int64_t i = random_.Between(1, plain_ ? 1 : 3); i > 0; --i) {
    Flow flow;
    flow.routing.flow = absl::StrCat("flow-", flows_.size());
    const DistributionMode modes[] = {DistributionMode::kRoundRobin, DistributionMode::kRoundRobin,
                                      DistributionMode::kLeastLoaded, DistributionMode::kManual,
                                      DistributionMode::kSelfPick};
    flow.routing.mode = plain_ ? DistributionMode::kRoundRobin : modes[Some(5)];
    flow.routing.ageing_step = absl::Minutes(random_.Between(0, 30));
    for (int agent = 0; agent < static_cast<int>(agents_.size()); ++agent) {
      if (!plain_ && random_.Chance(0.3)) continue;
      flow.members.push_back({.agent = agent,
                              .line = plain_ ? 1 : static_cast<int>(random_.Between(1, 2)),
                              .cap = plain_ ? 1000 : static_cast<int>(random_.Between(0, 4))});
    }
    flows_.push_back(std::move(flow));
  }
}

void RoutingWorld::File() {
  Request request;
  request.flow = Some(flows_.size());
  WaitingTicket& ticket = request.waiting;
  ticket.id = absl::StrCat("t", 1000 + requests_.size());
  ticket.line = plain_ || random_.Chance(0.8) ? 1 : 2;
  ticket.priority = static_cast<int>(random_.Between(1, 4));
  ticket.queued_at = Now();
  ticket.queued_seq = now_;
  if (!plain_ && random_.Chance(0.2)) ticket.required_skills.push_back("1c");
  requests_.push_back(std::move(request));
}

int RoutingWorld::Active(int flow, int agent) const {
  return static_cast<int>(std::count_if(
      requests_.begin(), requests_.end(),
      [&](const Request& request) { return request.flow == flow && request.holder == agent; }));
}

int RoutingWorld::Total(int agent) const {
  int total = 0;
  for (int flow = 0; flow < static_cast<int>(flows_.size()); ++flow) total += Counted(flow, agent);
  return total;
}

std::vector<Candidate> RoutingWorld::Candidates(int flow, bool true_loads) const {
  std::vector<Candidate> candidates;
  for (const Member& member : flows_[static_cast<size_t>(flow)].members) {
    const Agent& agent = agents_[static_cast<size_t>(member.agent)];
    Candidate candidate;
    candidate.employee = agent.id;
    candidate.line = member.line;
    candidate.present = agent.present;
    candidate.on_leave = agent.on_leave;
    candidate.cap = member.cap + (flaw_ == RoutingFlaw::kCapIsOneTooHigh ? 1 : 0);
    candidate.active = Counted(flow, member.agent);
    if (flaw_ == RoutingFlaw::kLoadsAreStale && !true_loads) {
      const auto found = stale_loads_.find({flow, member.agent});
      candidate.active = found == stale_loads_.end() ? 0 : found->second;
    }
    candidate.total_active = Total(member.agent);
    if (flaw_ != RoutingFlaw::kTotalCapIsForgotten) candidate.total_cap = agent.total_cap;
    candidate.skills = agent.skills;
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

void RoutingWorld::Give(Request& request, int agent) {
  if (request.holder >= 0) Violate(request.waiting.id, " is given to two people");
  request.holder = agent;
  ++loads_[{request.flow, agent}];
  ++result_.assigned;
  Say(request.waiting.id, " goes to ", agents_[static_cast<size_t>(agent)].id);
  CheckCaps();
}

void RoutingWorld::Release(Request& request) {
  if (flaw_ != RoutingFlaw::kReturnKeepsSlot) --loads_[{request.flow, request.holder}];
  request.holder = -1;
}

std::vector<WaitingTicket> RoutingWorld::Queue(int flow) const {
  std::vector<WaitingTicket> tickets;
  for (const Request& request : requests_) {
    if (request.flow != flow || request.holder >= 0 || !request.open) continue;
    tickets.push_back(request.waiting);
    if (flaw_ == RoutingFlaw::kDeclinesForgotten) tickets.back().excluded.clear();
  }
  if (flaw_ == RoutingFlaw::kSkipsTheLast && tickets.size() > 1) tickets.pop_back();
  if (flaw_ == RoutingFlaw::kOrderIsByNumber) {
    for (WaitingTicket& ticket : tickets) {
      ticket.priority = 3;
      ticket.front = false;
    }
  }
  return tickets;
}

// `read` and `tickets` are of a moment before. Only those whom a plan of that moment chooses are
// locked and seen as they are now; when that is not enough, everybody is, and so is the queue.
desk::Plan RoutingWorld::PlanUnderLocks(int index, std::vector<Candidate> read,
                                        std::vector<WaitingTicket>* tickets) {
  const Flow& flow = flows_[static_cast<size_t>(index)];
  const desk::Cursor cursor = flaw_ == RoutingFlaw::kCursorIsLost ? desk::Cursor() : flow.cursor;
  const desk::Plan intended = desk::MakePlan(flow.routing, cursor, read, *tickets, Now());
  if (flaw_ == RoutingFlaw::kPlansOnlyOnce) return intended;
  std::set<std::string> locked;
  for (const desk::Assignment& each : intended.assignments) locked.insert(each.agent);
  const std::vector<Candidate> now = Candidates(index, false);
  for (size_t i = 0; i < read.size(); ++i) {
    if (locked.count(read[i].employee) > 0) read[i] = now[i];
  }
  const std::vector<WaitingTicket> waiting = Queue(index);
  const auto gone = [&](const WaitingTicket& ticket) {
    return std::none_of(waiting.begin(), waiting.end(),
                        [&](const WaitingTicket& each) { return each.id == ticket.id; });
  };
  tickets->erase(std::remove_if(tickets->begin(), tickets->end(), gone), tickets->end());
  desk::Plan plan = desk::MakePlan(flow.routing, cursor, read, *tickets, Now());
  const bool wants_others =
      std::any_of(plan.assignments.begin(), plan.assignments.end(),
                  [&](const desk::Assignment& each) { return locked.count(each.agent) == 0; });
  if (!wants_others) return plan;
  *tickets = waiting;
  return desk::MakePlan(flow.routing, cursor, now, *tickets, Now());
}

// router/work/pass.cc: one transaction under the lock of the flow's cursor. Unless it is `alone`,
// somebody takes or gives back a request between its first read and its locks.
void RoutingWorld::Pass(int index, bool alone) {
  Flow& flow = flows_[static_cast<size_t>(index)];
  std::vector<Candidate> read = Candidates(index, false);
  std::vector<WaitingTicket> tickets = Queue(index);
  if (!alone) {
    switch (random_.Below(3)) {
      case 0: Finish(); break;
      case 1: Decline(); break;
      default: TakeByHand(); break;
    }
  }
  const desk::Plan plan = PlanUnderLocks(index, std::move(read), &tickets);
  flow.cursor = plan.cursor;
  stale_loads_ = loads_;
  CheckOrder(plan, tickets, index);
  std::map<std::string, std::string> how;
  for (const desk::Decision& decision : plan.decisions) how[decision.ticket] = decision.chosen_by;
  for (const desk::Assignment& assignment : plan.assignments) {
    const auto request = std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) {
      return r.waiting.id == assignment.ticket;
    });
    const auto member =
        std::find_if(flow.members.begin(), flow.members.end(), [&](const Member& m) {
          return agents_[static_cast<size_t>(m.agent)].id == assignment.agent;
        });
    if (!MayTake(*request, *member)) {
      Violate(assignment.ticket, " went to ", assignment.agent, ", who may not take it");
    }
    Give(*request, member->agent);
    if (how[assignment.ticket] == "turn") ++flow.turns[{member->line, member->agent}];
  }
  // What changed meanwhile is the next one's business, and wakes it.
  if (!alone) return Pass(index, true);
  CheckNobodyIdle(index);
  CheckFair(index);
}

// The rule, said anew: without desk/routing.
bool RoutingWorld::MayTake(const Request& request, const Member& member) const {
  const Agent& agent = agents_[static_cast<size_t>(member.agent)];
  const std::vector<std::string>& excluded = request.waiting.excluded;
  const bool able = request.waiting.required_skills.empty() || !agent.skills.empty();
  const bool room = Active(request.flow, member.agent) < member.cap;
  int total = 0;
  for (const Request& other : requests_) total += other.holder == member.agent ? 1 : 0;
  return member.line == request.waiting.line && agent.present && !agent.on_leave && able && room &&
         (!agent.total_cap || total < *agent.total_cap) &&
         std::count(excluded.begin(), excluded.end(), agent.id) == 0;
}

void RoutingWorld::CheckCaps() {
  for (int flow = 0; flow < static_cast<int>(flows_.size()); ++flow) {
    for (const Member& member : flows_[static_cast<size_t>(flow)].members) {
      const int active = Active(flow, member.agent);
      if (Counted(flow, member.agent) != active) {
        Violate(agents_[static_cast<size_t>(member.agent)].id, " is counted with ",
                Counted(flow, member.agent), " requests and holds ", active);
      }
    }
  }
}

// Front first, then urgency that grows with the wait, then the order of arrival.
void RoutingWorld::CheckOrder(const desk::Plan& plan, const std::vector<WaitingTicket>& tickets,
                              int flow) {
  const absl::Duration step = flows_[static_cast<size_t>(flow)].routing.ageing_step;
  const auto rank = [&](const std::string& id) {
    const auto request = std::find_if(requests_.begin(), requests_.end(),
                                      [&](const Request& r) { return r.waiting.id == id; });
    const WaitingTicket& ticket = request->waiting;
    std::int64_t priority = ticket.priority;
    if (step > absl::ZeroDuration()) {
      priority -=
          absl::ToInt64Microseconds(Now() - ticket.queued_at) / absl::ToInt64Microseconds(step);
    }
    return std::make_tuple(!ticket.front, priority, ticket.queued_seq, ticket.id);
  };
  if (plan.decisions.size() != tickets.size()) Violate("a request was not decided about");
  for (size_t i = 1; i < plan.decisions.size(); ++i) {
    if (rank(plan.decisions[i - 1].ticket) > rank(plan.decisions[i].ticket)) {
      Violate(plan.decisions[i].ticket, " had to wait behind ", plan.decisions[i - 1].ticket);
    }
  }
}

void RoutingWorld::CheckNobodyIdle(int index) {
  const Flow& flow = flows_[static_cast<size_t>(index)];
  if (flow.routing.mode == DistributionMode::kManual ||
      flow.routing.mode == DistributionMode::kSelfPick) {
    return;
  }
  for (const Request& request : requests_) {
    if (request.flow != index || request.holder >= 0 || !request.open) continue;
    ++result_.left_waiting;
    for (const Member& member : flow.members) {
      if (MayTake(request, member)) {
        Violate(request.waiting.id, " waits while ", agents_[static_cast<size_t>(member.agent)].id,
                " could take it");
      }
    }
  }
}

void RoutingWorld::CheckFair(int index) {
  const Flow& flow = flows_[static_cast<size_t>(index)];
  if (!plain_) return;
  int low = 1'000'000, high = 0;
  for (const Member& member : flow.members) {
    const Agent& agent = agents_[static_cast<size_t>(member.agent)];
    if (!agent.present || agent.on_leave) continue;
    const auto found = flow.turns.find({member.line, member.agent});
    const int turns = found == flow.turns.end() ? 0 : found->second;
    low = std::min(low, turns);
    high = std::max(high, turns);
  }
  if (high - low > 1 && high > 0) Violate("turns are uneven: from ", low, " to ", high);
}

void RoutingWorld::Finish() {
  if (requests_.empty()) return;
  Request& request = requests_[static_cast<size_t>(Some(requests_.size()))];
  if (request.holder < 0) return;
  Release(request);
  request.open = false;
}

void RoutingWorld::Decline() {
  if (requests_.empty() || plain_) return;
  Request& request = requests_[static_cast<size_t>(Some(requests_.size()))];
  if (request.holder < 0) return;
  request.waiting.excluded.push_back(agents_[static_cast<size_t>(request.holder)].id);
  ++result_.declined;
  Release(request);
}

// Self-pick, assignment by hand, transfer: the same rule decides (desk::CheckEligible).
void RoutingWorld::TakeByHand() {
  if (requests_.empty() || plain_) return;
  Request& request = requests_[static_cast<size_t>(Some(requests_.size()))];
  if (request.holder >= 0 || !request.open) return;
  const Flow& flow = flows_[static_cast<size_t>(request.flow)];
  if (flow.members.empty()) return;
  const size_t at = static_cast<size_t>(Some(flow.members.size()));
  const Candidate candidate = Candidates(request.flow, true)[at];
  const bool refused = desk::CheckEligible(candidate, request.waiting, flow.routing).has_value();
  if (refused == MayTake(request, flow.members[at])) {
    Violate(candidate.employee, refused ? " was refused " : " was allowed ", request.waiting.id,
            " against the rule");
  }
  if (!refused || flaw_ == RoutingFlaw::kGuardIsMissing) {
    if (!MayTake(request, flow.members[at])) {
      Violate(candidate.employee, " took ", request.waiting.id, " and may not");
    }
    Give(request, flow.members[at].agent);
  }
}

void RoutingWorld::ReturnAll(int agent) {
  for (Request& request : requests_) {
    if (request.holder != agent) continue;
    request.waiting.front = true;
    request.waiting.sticky_agent = agents_[static_cast<size_t>(agent)].id;
    Release(request);
  }
}

void RoutingWorld::Change() {
  Agent& agent = agents_[static_cast<size_t>(Some(agents_.size()))];
  switch (random_.Below(4)) {
    case 0:
      agent.present = !agent.present;
      AllUneven();
      break;
    case 1:
      agent.on_leave = !agent.on_leave;
      AllUneven();
      if (agent.on_leave) ReturnAll(static_cast<int>(&agent - agents_.data()));
      break;
    case 2:
      // Below what is held too: it only stops new work.
      if (!plain_ && agent.total_cap) agent.total_cap = static_cast<int>(random_.Between(0, 5));
      break;
    case 3: {
      Flow& flow = flows_[static_cast<size_t>(Some(flows_.size()))];
      if (plain_ || flow.members.empty()) return;
      flow.members[static_cast<size_t>(Some(flow.members.size()))].cap =
          static_cast<int>(random_.Between(0, 4));
      break;
    }
  }
}

RoutingResult RoutingWorld::Run() {
  Build();
  for (std::int64_t left = random_.Between(20, 80); left > 0 && !result_.violation; --left) {
    now_ += random_.Between(1, 600) * kSecond;
    switch (random_.Below(10)) {
      case 0:
      case 1:
      case 2:
      case 3: File(); break;
      case 4: Finish(); break;
      case 5: Decline(); break;
      case 6: TakeByHand(); break;
      case 7:
        if (!plain_ || random_.Chance(0.2)) Change();
        break;
      default: Pass(Some(flows_.size()), random_.Chance(0.5)); break;
    }
    CheckCaps();
  }
  for (size_t flow = 0; flow < flows_.size() && !result_.violation; ++flow) {
    Pass(static_cast<int>(flow), true);
  }
  return std::move(result_);
}

}  // namespace

RoutingResult RunRouting(std::uint64_t seed, RoutingFlaw flaw, bool trace) {
  return RoutingWorld(seed, flaw, trace).Run();
}

}  // namespace potok::simulation
