#include "router/rpc/explain.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/access/visibility.h"
#include "desk/ticket/ids.h"
#include "desk/ticket/refusal.h"
#include "ledger/history.h"
#include "router/rpc/wire.h"
#include "router/store/decision_reads.h"
#include "router/store/routing_store.h"

namespace potok::router {
namespace {

constexpr int kMaxDecisions = 100;
constexpr int kUsualPage = 50;

template <class Request>
int PageSize(const Request& q) {
  return q.page_size() == 0 ? kUsualPage : q.page_size();
}

// Where the next page of a queue begins. The order depends on the instant (ageing), so the first
// page's instant holds for all of them: a ticket that stays in the queue is listed exactly once.
struct QueueCursor {
  absl::Time now;
  int position = 0;  // Tickets listed so far.
  QueueKey after;
};

std::string Format(const QueueCursor& cursor) {
  return absl::StrCat(absl::ToUnixMicros(cursor.now), " ", cursor.position, " ",
                      cursor.after.behind, " ", cursor.after.effective_priority, " ",
                      cursor.after.queued_seq, " ", cursor.after.ticket);
}

absl::StatusOr<QueueCursor> ParseQueueCursor(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  QueueCursor cursor;
  int64_t micros = 0;
  if (words.size() != 6 || !absl::SimpleAtoi(words[0], &micros) ||
      !absl::SimpleAtoi(words[1], &cursor.position) ||
      !absl::SimpleAtoi(words[2], &cursor.after.behind) ||
      !absl::SimpleAtoi(words[3], &cursor.after.effective_priority) ||
      !absl::SimpleAtoi(words[4], &cursor.after.queued_seq)) {
    return absl::InternalError("unreadable page token");
  }
  cursor.now = absl::FromUnixMicros(micros);
  cursor.after.ticket = std::string(words[5]);
  return cursor;
}

absl::Status NoDecisionYet(const desk::Ticket& ticket) {
  ErrorDetail detail;
  detail.metadata["state"] = std::string(desk::Name(ticket.state));
  detail.ru =
      absl::StrCat("О заявке ", ticket.number, " ещё не принималось решений: она в состоянии ",
                   desk::Name(ticket.state), ".");
  return MakeError(absl::StatusCode::kNotFound, "DECISION_NOT_FOUND",
                   absl::StrCat("nothing has been decided about ticket ", ticket.number, ": it is ",
                                desk::Name(ticket.state)),
                   std::move(detail));
}

absl::Status NoSuchTicket(const desk::Viewer& viewer, const std::string& name) {
  if (!viewer.sees_all) return desk::Hidden();
  ErrorDetail detail;
  detail.metadata["ticket"] = name;
  detail.ru = absl::StrCat("Заявки ", name, " нет.");
  return MakeError(absl::StatusCode::kNotFound, "TICKET_NOT_FOUND",
                   absl::StrCat("no ticket ", name, "; ListTickets finds the one you mean"),
                   std::move(detail));
}

}  // namespace

NameOf NamesFrom(std::shared_ptr<const ledger::ReferenceSnapshot> reference) {
  return [reference = std::move(reference)](const std::string& id) {
    const ledger::Employee* employee = reference->FindEmployee(id);
    return employee == nullptr || employee->name.empty() ? id : employee->name;
  };
}

absl::StatusOr<const desk::Flow*> Explain::FlowFor(const CallContext& call,
                                                   const ledger::ReferenceSnapshot& reference,
                                                   const std::string& id) const {
  const desk::Flow* flow = reference.Flow(id);
  if (flow == nullptr) return NoSuchFlow(id);
  const desk::Viewer viewer = reference.ViewerOf(call.caller);
  desk::Ticket any;
  any.flow_id = id;
  const desk::Relation relation = desk::RelationOf(viewer, any);
  if (viewer.sees_all || relation.team || relation.flow_admin) return flow;
  return desk::Forbidden("see the queue of this flow", "its team, its admin and auditors",
                         "команда и администратор потока, аудиторы");
}

absl::StatusOr<v1::ExplainAssignmentResponse> Explain::Assignment(
    const CallContext& call, const v1::ExplainAssignmentRequest& q) const {
  const auto reference = reference_.Snapshot();
  const desk::Viewer viewer = reference->ViewerOf(call.caller);
  const NameOf name_of = NamesFrom(reference);
  const std::string id = PartOfName(q.name(), 1);
  const std::optional<int> part = desk::PartOfTicketId(id);
  if (!part) return NoSuchTicket(viewer, q.name());
  pg::TxOptions options;
  options.read_only = true;
  options.snapshot = true;  // The decisions of the very version that is shown.
  options.deadline = call.deadline;
  return pg::InTransaction(
      pool_, options, [&](pg::Tx& tx) -> absl::StatusOr<v1::ExplainAssignmentResponse> {
        const std::optional<desk::Ticket> ticket = ledger::FindTicket(tx, id);
        if (!ticket) return NoSuchTicket(viewer, q.name());
        if (!desk::RelationOf(viewer, *ticket).sees) return desk::Hidden();
        v1::ExplainAssignmentResponse answer;
        const desk::QueueReason reason = FindQueueReason(tx, *part, id);
        *answer.mutable_placement() = PlacementOf(*ticket, reason);

        const desk::Flow* flow = reference->Flow(ticket->flow_id);
        if (ticket->state == desk::State::kQueued && flow != nullptr) {
          desk::PlanFacts facts;
          facts.flow = RoutingOf(*flow);
          facts.at = clock_.Now();
          facts.candidates =
              CandidatesOf(*reference, *flow,
                           ReadTeam(tx, flow->id, flow->options.max_active, facts.at), facts.at);
          facts.tickets.push_back(WaitingOf(*ticket));
          const desk::Plan plan = desk::MakePlan(facts);
          // One that somebody could take is about to be given away by a pass: that decision will be
          // stored.
          if (plan.decisions[0].chosen.empty()) {
            *answer.add_decisions() = ToWire({facts, plan.decisions[0]}, 0, flow->version, name_of);
          }
        }
        POTOK_ASSIGN_OR_RETURN(std::vector<FoundDecision> found,
                               FindDecisions(tx, *part, id, kMaxDecisions));
        std::vector<v1::Decision> all;
        for (const FoundDecision& each : found) {
          all.push_back(ToWire(each.stored, each.version, each.flow_version, name_of));
        }
        for (const int64_t version : FindHandDecisions(tx, *part, id, kMaxDecisions)) {
          const std::optional<desk::Event> event = ledger::FindEvent(tx, id, version);
          if (event) all.push_back(HandDecision(*ticket, *event, name_of));
        }
        std::sort(all.begin(), all.end(), [](const v1::Decision& a, const v1::Decision& b) {
          return a.ticket_version() > b.ticket_version();
        });
        for (v1::Decision& each : all) {
          if (answer.decisions_size() == kMaxDecisions) break;
          *answer.add_decisions() = std::move(each);
        }
        if (answer.decisions_size() == 0 && ticket->state != desk::State::kQueued) {
          return NoDecisionYet(*ticket);
        }
        return answer;
      });
}

absl::StatusOr<v1::ListQueueResponse> Explain::Queue(const CallContext& call,
                                                     const v1::ListQueueRequest& q) const {
  const auto reference = reference_.Snapshot();
  POTOK_ASSIGN_OR_RETURN(const desk::Flow* flow,
                         FlowFor(call, *reference, PartOfName(q.parent(), 1)));
  const std::string arguments = absl::StrCat("queue\n", call.caller.principal, "\n", q.parent());
  QueueCursor cursor;
  cursor.now = clock_.Now();
  std::optional<QueueKey> after;
  if (!q.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::string payload,
                           page_tokens_.Open(q.page_token(), arguments, TokenTime(clock_)));
    POTOK_ASSIGN_OR_RETURN(cursor, ParseQueueCursor(payload));
    after = cursor.after;
  }
  pg::TxOptions options;
  options.read_only = true;
  options.deadline = call.deadline;
  const int size = PageSize(q);
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<QueuedTicket> page,
      pg::InAutocommit(pool_, options,
                       [&](pg::Tx& tx) -> absl::StatusOr<std::vector<QueuedTicket>> {
                         return ReadQueuePage(tx, RoutingOf(*flow), cursor.now, after, size + 1);
                       }));
  v1::ListQueueResponse answer;
  const absl::Time now = clock_.Now();
  const size_t shown = std::min(page.size(), static_cast<size_t>(size));
  for (size_t i = 0; i < shown; ++i) {
    const QueuedTicket& ticket = page[i];
    v1::QueueEntry& entry = *answer.add_queue_entries();
    entry.set_ticket(TicketName(ticket.key.ticket));
    entry.set_number(ticket.number);
    entry.set_title(ticket.title);
    entry.set_line(ticket.line);
    entry.set_priority(ticket.priority);
    entry.set_effective_priority(
        static_cast<int>(std::max<int64_t>(1, ticket.key.effective_priority)));
    entry.set_position(++cursor.position);
    entry.set_reason(ToWire(ticket.reason));
    SetTimestamp(ticket.queued_at, entry.mutable_queue_time());
    const absl::Duration waited = std::max(absl::ZeroDuration(), now - ticket.queued_at);
    entry.mutable_wait_duration()->set_seconds(absl::ToInt64Seconds(waited));
    entry.mutable_wait_duration()->set_nanos(static_cast<int32_t>(
        absl::ToInt64Nanoseconds(waited - absl::Seconds(absl::ToInt64Seconds(waited)))));
    for (const std::string& agent : ticket.excluded) entry.add_excluded_agents(EmployeeName(agent));
    if (ticket.due_at) SetTimestamp(*ticket.due_at, entry.mutable_due_time());
  }
  if (page.size() > shown) {
    cursor.after = page[shown - 1].key;
    answer.set_next_page_token(page_tokens_.Seal(Format(cursor), arguments, TokenTime(clock_)));
  }
  return answer;
}

absl::StatusOr<v1::ListAgentLoadsResponse> Explain::Loads(
    const CallContext& call, const v1::ListAgentLoadsRequest& q) const {
  const auto reference = reference_.Snapshot();
  POTOK_ASSIGN_OR_RETURN(const desk::Flow* flow,
                         FlowFor(call, *reference, PartOfName(q.parent(), 1)));
  const std::string arguments = absl::StrCat("loads\n", call.caller.principal, "\n", q.parent());
  std::pair<int, std::string> after{0, ""};
  if (!q.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(const std::string payload,
                           page_tokens_.Open(q.page_token(), arguments, TokenTime(clock_)));
    const std::vector<std::string> words = absl::StrSplit(payload, absl::MaxSplits(' ', 1));
    if (words.size() != 2 || !absl::SimpleAtoi(words[0], &after.first)) {
      return absl::InternalError("unreadable page token");
    }
    after.second = words[1];
  }
  const absl::Time now = clock_.Now();
  const desk::FlowRouting routing = RoutingOf(*flow);
  const size_t size = static_cast<size_t>(PageSize(q));
  std::vector<desk::Candidate> team;
  std::map<std::string, int64_t> assigned;
  pg::TxOptions options;
  options.read_only = true;
  options.deadline = call.deadline;
  POTOK_RETURN_IF_ERROR(pg::InAutocommit(pool_, options, [&](pg::Tx& tx) -> absl::Status {
    // A team is small: all of it is read, and the page is cut here.
    team =
        CandidatesOf(*reference, *flow, ReadTeam(tx, flow->id, flow->options.max_active, now), now);
    const auto key = [](const desk::Candidate& c) { return std::make_pair(c.line, c.employee); };
    team.erase(std::remove_if(team.begin(), team.end(),
                              [&](const desk::Candidate& c) { return key(c) <= after; }),
               team.end());
    std::sort(team.begin(), team.end(),
              [&](const auto& a, const auto& b) { return key(a) < key(b); });
    std::vector<std::string> ids;
    for (size_t i = 0; i < std::min(size, team.size()); ++i) ids.push_back(team[i].employee);
    assigned = CountAssigned(tx, flow->id, ids);
    return absl::OkStatus();
  }));
  const NameOf name_of = NamesFrom(reference);
  v1::ListAgentLoadsResponse answer;
  for (size_t i = 0; i < std::min(size, team.size()); ++i) {
    const desk::Candidate& member = team[i];
    v1::AgentLoad& load = *answer.add_agent_loads();
    load.set_agent(EmployeeName(member.employee));
    load.set_display_name(name_of(member.employee));
    load.set_line(member.line);
    load.set_active_count(member.active);
    load.set_max_active(member.cap);
    load.set_presence_status(PresenceToWire(member.presence));
    desk::WaitingTicket any;
    any.line = member.line;
    if (const auto obstacle = desk::CheckEligible(member, any, routing)) {
      load.set_exclusion_reason(ToWire(*obstacle));
    }
    const auto got = assigned.find(member.employee);
    load.set_assigned_count(got == assigned.end() ? 0 : got->second);
  }
  if (team.size() > size) {
    answer.set_next_page_token(
        page_tokens_.Seal(absl::StrCat(team[size - 1].line, " ", team[size - 1].employee),
                          arguments, TokenTime(clock_)));
  }
  return answer;
}

}  // namespace potok::router
