#include "router/rpc/moves.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/stream_names.h"
#include "desk/ticket/refusal.h"
#include "ledger/history.h"
#include "ledger/reference_idem.h"
#include "ledger/writer.h"
#include "router/rpc/wire.h"
#include "router/store/decision_reads.h"
#include "router/store/routing_store.h"

namespace potok::router {
namespace {

// Tickets ClaimNext looks at before it says that others were faster, and how often it looks.
constexpr int kClaimHead = 64;
constexpr int kClaimTries = 4;

// "ClaimTicket" of "/potok.router.v1.RouterService/ClaimTicket".
std::string VerbOf(const CallContext& call) {
  return call.method.substr(call.method.rfind('/') + 1);
}

pg::TxOptions Until(const CallContext& call) {
  pg::TxOptions options;
  options.deadline = call.deadline;
  return options;
}

absl::Status BadTicketName() {
  ErrorDetail detail;
  detail.fields = {{"name", "must be \"tickets/\" and the ticket's UUID in lower case",
                    "должно быть «tickets/» и UUID заявки строчными буквами"}};
  detail.ru = "Имя заявки: «tickets/» и её UUID строчными буквами.";
  return MakeError(absl::StatusCode::kInvalidArgument, "RESOURCE_NAME_INVALID",
                   "name must be \"tickets/\" and the ticket's UUID in lower case",
                   std::move(detail));
}

absl::Status NoFurtherLine(const desk::Ticket& ticket, int lines) {
  ErrorDetail detail;
  detail.metadata = {{"line", absl::StrCat(ticket.line)}, {"lines", absl::StrCat(lines)}};
  detail.preconditions = {
      {"LINE", TicketName(ticket.id), absl::StrCat("is on line ", ticket.line, " of ", lines)}};
  detail.ru = absl::StrCat("Заявка ", ticket.number, " уже на последней линии потока (", lines,
                           "). Передайте её другому исполнителю (TransferTicket).");
  return MakeError(absl::StatusCode::kFailedPrecondition, "ILLEGAL_MOVE",
                   absl::StrCat("ticket ", ticket.number, " is on the last line of its flow (",
                                lines, "); hand it to another agent (TransferTicket)"),
                   std::move(detail));
}

absl::Status NothingToClaim(const std::string& flow) {
  ErrorDetail detail;
  detail.metadata["flow"] = FlowName(flow);
  detail.ru = absl::StrCat("В очереди ", FlowName(flow), " нет заявок, которые вы можете взять.");
  return MakeError(absl::StatusCode::kNotFound, "NOT_FOUND",
                   absl::StrCat("the queue of ", FlowName(flow), " holds no ticket you could take"),
                   std::move(detail));
}

absl::Status OthersWereFaster() {
  ErrorDetail detail;
  detail.retry_after = absl::Milliseconds(50);
  detail.ru = "Другие взяли все заявки раньше; повторите вызов.";
  return MakeError(absl::StatusCode::kAborted, "CONFLICT",
                   "others took every ticket first; repeat the call", std::move(detail));
}

}  // namespace

template <class Request>
absl::StatusOr<desk::Command> Moves::CommandOf(const CallContext& call, const Request& request,
                                               desk::Action action) const {
  desk::Command command;
  command.ticket_id = PartOfName(request.name(), 1);
  if (!desk::IsUuid(command.ticket_id)) return BadTicketName();
  command.viewer = parts_.reference.Snapshot()->ViewerOf(call.caller);
  command.method = VerbOf(call);
  command.request_id = absl::AsciiStrToLower(request.request_id());
  command.body_hash = ledger::RequestHash(request);
  POTOK_ASSIGN_OR_RETURN(command.expected_version, VersionOf("etag", request.etag()));
  command.action = std::move(action);
  return command;
}

absl::StatusOr<Moves::Seen> Moves::Look(const CallContext& call, const std::string& ticket,
                                        const std::string& agent) const {
  const auto reference = parts_.reference.Snapshot();
  pg::TxOptions options = Until(call);
  options.read_only = true;
  return pg::InAutocommit(parts_.pool, options, [&](pg::Tx& tx) -> absl::StatusOr<Seen> {
    Seen seen;
    seen.ticket = ledger::FindTicket(tx, ticket);
    if (!seen.ticket) return seen;
    const desk::Flow* opened_under =
        reference->FlowVersion(seen.ticket->flow_id, seen.ticket->flow_version);
    if (opened_under != nullptr) seen.lines = opened_under->lines;
    const desk::Flow* flow = reference->Flow(seen.ticket->flow_id);
    if (flow == nullptr) return seen;
    seen.routing = RoutingOf(*flow);
    if (agent.empty()) return seen;
    const absl::Time now = parts_.clock.Now();
    const auto found = CandidatesOf(
        *reference, *flow, ReadTeam(tx, flow->id, flow->options.max_active, now, agent), now);
    if (!found.empty()) seen.agent = found.front();
    return seen;
  });
}

absl::Status Moves::CheckTarget(const Seen& seen, const std::string& agent, bool by_hand) const {
  if (!seen.agent) return desk::NotEligible(*seen.ticket, agent, "NOT_A_MEMBER");
  desk::WaitingTicket waiting = WaitingOf(*seen.ticket);
  if (by_hand) waiting.excluded.clear();
  const auto obstacle = desk::CheckEligible(*seen.agent, waiting, seen.routing);
  if (!obstacle) return absl::OkStatus();
  if (*obstacle == desk::VerdictReason::kAtCap) {
    return desk::AtCap(*seen.ticket, agent, {seen.agent->active, seen.agent->cap});
  }
  if (*obstacle == desk::VerdictReason::kAtTotalCap) {
    return desk::AtCap(*seen.ticket, agent,
                       {seen.agent->total_active.value_or(0), seen.agent->total_cap.value_or(0)});
  }
  return desk::NotEligible(*seen.ticket, agent, desk::Name(*obstacle));
}

absl::StatusOr<bool> Moves::WasAnswered(const CallContext& call,
                                        const desk::Command& command) const {
  const std::optional<int> part = desk::PartOfTicketId(command.ticket_id);
  if (!part) return false;
  return pg::InAutocommit(parts_.pool, Until(call), [&](pg::Tx& tx) -> absl::StatusOr<bool> {
    return FindAnswered(tx, {*part}, command.viewer.principal, command.request_id, command.method)
        .has_value();
  });
}

absl::StatusOr<v1::Placement> Moves::Execute(const CallContext& call, desk::Command command,
                                             const absl::Status& refusal,
                                             absl::string_view how) const {
  if (!refusal.ok()) {
    POTOK_ASSIGN_OR_RETURN(const bool answered, WasAnswered(call, command));
    if (!answered) return refusal;
  }
  const std::string ticket_id = command.ticket_id;
  const desk::Viewer viewer = command.viewer;
  const bool assigns = std::holds_alternative<desk::AssignTicket>(command.action);
  absl::StatusOr<ledger::Outcome> outcome =
      parts_.ledger.Execute(std::move(command), call.deadline);
  if (!outcome.ok()) {
    // Taken between the look and the command: say by whom, to those who may see it.
    if (!assigns || GetErrorDetail(outcome.status()).reason != "ILLEGAL_MOVE") {
      return outcome.status();
    }
    POTOK_ASSIGN_OR_RETURN(const Seen seen, Look(call, ticket_id, ""));
    const bool held = seen.ticket && desk::IsHeld(seen.ticket->state) &&
                      desk::RelationOf(viewer, *seen.ticket).sees;
    return held ? AlreadyTaken(*seen.ticket) : outcome.status();
  }
  if (!outcome->replayed) {
    if (!how.empty()) Count(how);
    parts_.bell.Wake(outcome->ticket.flow_id);
  }
  // A move that leaves the ticket queued has only just put it there.
  return PlacementOf(outcome->ticket, desk::QueueReason::kReady);
}

void Moves::Count(absl::string_view how) const {
  parts_.metrics
      .Counter("potok_router_assignments_total", "Tickets that got a holder, by how.",
               {{"strategy", std::string(how)}})
      .Increment();
}

absl::StatusOr<v1::Placement> Moves::Assign(const CallContext& call,
                                            const v1::AssignTicketRequest& q) const {
  const std::string agent = PartOfName(q.agent(), 1);
  POTOK_ASSIGN_OR_RETURN(desk::Command command,
                         CommandOf(call, q, desk::AssignTicket{agent, "manual", q.reason()}));
  POTOK_ASSIGN_OR_RETURN(const Seen seen, Look(call, command.ticket_id, agent));
  absl::Status refusal;
  // Who may not assign is told so by the ledger, and nothing about the team.
  if (seen.ticket && desk::RelationOf(command.viewer, *seen.ticket).flow_admin) {
    if (seen.ticket->state == desk::State::kQueued) {
      refusal = CheckTarget(seen, agent, /*by_hand=*/true);
    } else if (desk::IsHeld(seen.ticket->state) && !command.expected_version) {
      refusal = AlreadyTaken(*seen.ticket);
    }
  }
  return Execute(call, std::move(command), refusal, "manual");
}

absl::StatusOr<v1::Placement> Moves::Claim(const CallContext& call,
                                           const v1::ClaimTicketRequest& q) const {
  const std::string agent = call.caller.employee;
  POTOK_ASSIGN_OR_RETURN(desk::Command command,
                         CommandOf(call, q, desk::AssignTicket{agent, "self_pick", ""}));
  POTOK_ASSIGN_OR_RETURN(const Seen seen, Look(call, command.ticket_id, agent));
  absl::Status refusal;
  if (seen.ticket && desk::RelationOf(command.viewer, *seen.ticket).team) {
    const bool stale =
        command.expected_version && *command.expected_version != seen.ticket->version;
    if (stale) {
      refusal = desk::EtagMismatch(*seen.ticket, *command.expected_version);
    } else if (seen.routing.mode != desk::DistributionMode::kSelfPick) {
      refusal = SelfPickOff(seen.ticket->flow_id);
    } else if (seen.ticket->state == desk::State::kQueued) {
      refusal = CheckTarget(seen, agent, /*by_hand=*/false);
    } else if (desk::IsHeld(seen.ticket->state)) {
      refusal = AlreadyTaken(*seen.ticket);
    }
  }
  return Execute(call, std::move(command), refusal, "self_pick");
}

absl::StatusOr<v1::Placement> Moves::Decline(const CallContext& call,
                                             const v1::DeclineTicketRequest& q) const {
  POTOK_ASSIGN_OR_RETURN(desk::Command command,
                         CommandOf(call, q, desk::DeclineTicket{q.reason()}));
  return Execute(call, std::move(command), absl::OkStatus(), "");
}

absl::StatusOr<v1::Placement> Moves::Return(const CallContext& call,
                                            const v1::ReturnTicketRequest& q) const {
  POTOK_ASSIGN_OR_RETURN(desk::Command command,
                         CommandOf(call, q, desk::ReturnTicket{q.reason(), false}));
  return Execute(call, std::move(command), absl::OkStatus(), "");
}

absl::StatusOr<v1::Placement> Moves::Transfer(const CallContext& call,
                                              const v1::TransferTicketRequest& q) const {
  const std::string agent = PartOfName(q.agent(), 1);
  POTOK_ASSIGN_OR_RETURN(desk::Command command,
                         CommandOf(call, q, desk::TransferTicket{agent, q.reason()}));
  POTOK_ASSIGN_OR_RETURN(const Seen seen, Look(call, command.ticket_id, agent));
  absl::Status refusal;
  if (seen.ticket && desk::IsHeld(seen.ticket->state) && seen.ticket->assignee != agent) {
    const desk::Relation relation = desk::RelationOf(command.viewer, *seen.ticket);
    if (relation.holder || relation.flow_admin) {
      refusal = CheckTarget(seen, agent, /*by_hand=*/true);
    }
  }
  return Execute(call, std::move(command), refusal, "transferred");
}

absl::StatusOr<v1::Placement> Moves::EscalateLine(const CallContext& call,
                                                  const v1::EscalateLineRequest& q) const {
  POTOK_ASSIGN_OR_RETURN(desk::Command command,
                         CommandOf(call, q, desk::ChangeLine{0, q.reason()}));
  POTOK_ASSIGN_OR_RETURN(const Seen seen, Look(call, command.ticket_id, ""));
  absl::Status refusal;
  if (seen.ticket && seen.ticket->line >= seen.lines) {
    const desk::Relation relation = desk::RelationOf(command.viewer, *seen.ticket);
    if (relation.holder || relation.flow_admin) refusal = NoFurtherLine(*seen.ticket, seen.lines);
  }
  return Execute(call, std::move(command), refusal, "");
}

absl::StatusOr<v1::Placement> Moves::ClaimNext(const CallContext& call,
                                               const v1::ClaimNextRequest& q) const {
  const std::string flow_id = PartOfName(q.flow(), 1);
  const auto reference = parts_.reference.Snapshot();
  const desk::Flow* flow = reference->Flow(flow_id);
  if (flow == nullptr) return NoSuchFlow(flow_id);
  desk::Command command;
  command.viewer = reference->ViewerOf(call.caller);
  command.method = VerbOf(call);
  command.request_id = absl::AsciiStrToLower(q.request_id());
  command.body_hash = ledger::RequestHash(q);
  command.action = desk::AssignTicket{call.caller.employee, "self_pick", ""};
  for (int attempt = 0; attempt < kClaimTries; ++attempt) {
    POTOK_ASSIGN_OR_RETURN(const std::optional<ledger::Outcome> outcome,
                           TryClaimNext(call, *flow, command));
    if (!outcome) continue;
    if (!outcome->replayed) {
      Count("self_pick");
      if (parts_.on_commit) parts_.on_commit();
      parts_.bell.Wake(flow_id);
    }
    return PlacementOf(outcome->ticket, desk::QueueReason::kReady);
  }
  return OthersWereFaster();
}

// In one transaction of its own, not through the batcher: which ticket it is, is known only under
// the locks. A twin of the call waits at the first lock and then finds the answer, so one call
// never takes two tickets.
absl::StatusOr<std::optional<ledger::Outcome>> Moves::TryClaimNext(const CallContext& call,
                                                                   const desk::Flow& flow,
                                                                   desk::Command command) const {
  using Result = std::optional<ledger::Outcome>;
  const std::string agent = call.caller.employee;
  const auto reference = parts_.reference.Snapshot();
  return pg::InTransaction(parts_.pool, Until(call), [&](pg::Tx& tx) -> absl::StatusOr<Result> {
    const std::string& principal = command.viewer.principal;
    LockTwin(tx, principal, command.request_id, command.method);
    const absl::Time now = parts_.clock.Now();
    ledger::Writer writer(tx, reference, now);
    if (const auto earlier =
            FindAnswered(tx, desk::AllParts(), principal, command.request_id, command.method)) {
      command.ticket_id = *earlier;
      POTOK_RETURN_IF_ERROR(writer.LockFor({&command}));
      POTOK_ASSIGN_OR_RETURN(ledger::Outcome outcome, writer.Stage(command));
      return Result(std::move(outcome));
    }
    if (flow.mode != desk::DistributionMode::kSelfPick) return SelfPickOff(flow.id);
    const auto me = CandidatesOf(*reference, flow,
                                 ReadTeam(tx, flow.id, flow.options.max_active, now, agent), now);
    // Not about any ticket yet: the refusal speaks of the flow.
    Seen seen;
    seen.ticket.emplace();
    seen.ticket->flow_id = flow.id;
    seen.ticket->number = FlowName(flow.id);
    seen.routing = RoutingOf(flow);
    if (!me.empty()) {
      seen.agent = me.front();
      seen.ticket->line = me.front().line;
    }
    POTOK_RETURN_IF_ERROR(CheckTarget(seen, agent, /*by_hand=*/false));
    writer.LockLoads({{agent, ""}, {agent, flow.id}});
    const std::vector<desk::WaitingTicket> head =
        ReadQueueHead(tx, seen.routing, {me.front()}, now, kClaimHead);
    if (head.empty()) return NothingToClaim(flow.id);
    for (const desk::WaitingTicket& waiting : head) {
      const std::string& id = waiting.id;
      // One by one and never waiting: a claimer keeps no ticket from another that it does not take.
      writer.LockTickets({id}, ledger::Writer::Wait::kNever);
      const desk::Ticket* ticket = writer.Find(id);
      if (ticket == nullptr || ticket->state != desk::State::kQueued) continue;
      command.ticket_id = id;
      POTOK_ASSIGN_OR_RETURN(ledger::Outcome outcome, writer.Stage(command));
      POTOK_RETURN_IF_ERROR(writer.Flush());
      return Result(std::move(outcome));
    }
    return Result();
  });
}

}  // namespace potok::router
