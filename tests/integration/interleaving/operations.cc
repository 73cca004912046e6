#include "integration/interleaving/operations.h"

#include <chrono>
#include <grpc/support/time.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

#include "base/error.h"

namespace potok::interleaving {
namespace {

using google::protobuf::util::TimeUtil;
using intake::v1::IntakeService;

std::string NameOf(const std::string& ticket) { return absl::StrCat("tickets/", ticket); }
std::string IdOf(const std::string& name) { return name.substr(name.rfind('/') + 1); }

Answer Refused(absl::Status status) {
  Answer answer;
  const ErrorDetail detail = GetErrorDetail(status);
  answer.reason = detail.reason;
  answer.metadata = {detail.metadata.begin(), detail.metadata.end()};
  answer.status = std::move(status);
  return answer;
}

Answer Refused(const grpc::Status& status) {
  Answer answer;
  answer.status =
      absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status wire;
  wire.ParseFromString(status.error_details());
  for (const auto& any : wire.details()) {
    google::rpc::ErrorInfo info;
    if (!any.UnpackTo(&info)) continue;
    answer.reason = info.reason();
    answer.metadata = {info.metadata().begin(), info.metadata().end()};
  }
  return answer;
}

Answer Told(const intake::v1::Ticket& ticket) {
  Answer answer;
  answer.ticket = IdOf(ticket.name());
  answer.version = ticket.version();
  const std::string state = intake::v1::Ticket::State_Name(ticket.state());
  answer.state = state.substr(std::string("STATE_").size());
  return answer;
}

Answer Told(const absl::StatusOr<router::v1::Placement>& placement) {
  if (!placement.ok()) return Refused(placement.status());
  Answer answer;
  answer.ticket = IdOf(placement->ticket());
  answer.version = placement->ticket_version();
  return answer;
}

// A call of intake over its socket.
template <class Q, class A>
Answer Call(Replica& replica, const std::string& who, const Q& request,
            grpc::Status (IntakeService::Stub::*method)(grpc::ClientContext*, const Q&, A*)) {
  grpc::ClientContext context;
  context.set_deadline(gpr_time_from_seconds(20, GPR_TIMESPAN));
  context.AddMetadata("authorization", absl::StrCat("Bearer dev:", who, ":requester+agent"));
  A answer;
  const grpc::Status status = (replica.intake().*method)(&context, request, &answer);
  if (!status.ok()) return Refused(status);
  if constexpr (std::is_same_v<A, intake::v1::Ticket>) {
    return Told(answer);
  } else {
    return Told(answer.ticket());
  }
}

template <class Q>
Q On(const Case& each, const std::string& request_id) {
  Q request;
  request.set_name(NameOf(each.ticket));
  request.set_request_id(request_id);
  return request;
}

CallContext As(const std::string& who, const std::string& method, const std::string& role) {
  CallContext call;
  call.caller.principal = absl::StrCat("users/", who);
  call.caller.employee = who;
  call.caller.roles = {role};
  call.method = method;
  call.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  return call;
}

CallContext OfRouter(const std::string& who, const std::string& verb) {
  return As(who, absl::StrCat("/potok.router.v1.RouterService/", verb), "agent");
}

Answer Did(std::string what) {
  Answer answer;
  answer.did = std::move(what);
  return answer;
}

Answer Create(Replica& replica, const Case& each, const std::string& request_id) {
  intake::v1::CreateTicketRequest request;
  request.set_request_id(request_id);
  request.mutable_ticket()->set_flow(absl::StrCat("flows/", each.flow));
  request.mutable_ticket()->set_title("Мышь не двигается");
  return Call(replica, "petrov", request, &IntakeService::Stub::CreateTicket);
}

Answer Assign(Replica& replica, const Case& each, const std::string&) {
  const absl::StatusOr<router::PassResult> pass = replica.pass().Run(each.flow);
  if (!pass.ok()) return Refused(pass.status());
  return Did(pass->assigned == 0 ? "nothing" : absl::StrCat("assigned ", pass->assigned));
}

// The sweep that follows when somebody has left. It looks at all flows; of other cases nothing is
// left to do.
Answer Sweep(Replica& replica) {
  const absl::StatusOr<std::vector<std::string>> flows = replica.rehome().Run();
  if (!flows.ok()) return Refused(flows.status());
  return Did(flows->empty() ? "nothing" : "released");
}

Answer GoOnLeave(Replica& replica, const Case& each, const std::string& request_id) {
  router::v1::CreateAbsenceRequest request;
  request.set_parent(absl::StrCat("employees/", each.anna));
  request.set_request_id(request_id);
  router::v1::Absence& absence = *request.mutable_absence();
  absence.set_kind(router::v1::Absence::KIND_LEAVE);
  const int64_t now = absl::ToUnixMicros(replica.world().clock().Now());
  *absence.mutable_start_time() = TimeUtil::MicrosecondsToTimestamp(now);
  *absence.mutable_end_time() =
      TimeUtil::MicrosecondsToTimestamp(now + 8 * 3600 * int64_t{1000000});
  const auto made = replica.team().CreateAbsence(
      As(each.anna, "/potok.router.v1.TeamService/CreateAbsence", "agent"), request);
  if (!made.ok()) return Refused(made.status());
  return Sweep(replica);
}

Answer LeaveTheTeam(Replica& replica, const Case& each, const std::string& request_id) {
  router::v1::DeleteMemberRequest request;
  request.set_name(absl::StrCat("flows/", each.flow, "/members/", each.anna));
  request.set_request_id(request_id);
  const auto made = replica.team().DeleteMember(
      As("boss", "/potok.router.v1.TeamService/DeleteMember", "flowAdmin"), request);
  if (!made.ok()) return Refused(made.status());
  return Sweep(replica);
}

Answer Fire(Replica& replica, const Case& each, desk::TimerKind kind) {
  const auto timer = each.timers.find(kind);
  if (timer == each.timers.end()) return Did("nothing");
  const auto result =
      replica.firing().Fire({timer->second}, replica.world().timer_leases(), absl::ZeroDuration());
  if (!result.ok()) return Refused(result.status());
  using Report = sla_timer::FireReport;
  switch (result->reports[0].end) {
    case Report::kFired: return Did("fired");
    case Report::kStale: return Did("stale");
    case Report::kSkipped: return Did("skipped");
    case Report::kNotYet: return Did("not yet");
    case Report::kBusy: return Did("nothing");
    case Report::kNotOurs: return Did("not ours");
    default: return Refused(result->reports[0].why);
  }
}

Operation Firing(const char* name, Needs needs, const char* event, desk::TimerKind kind) {
  return {name,
          needs,
          event,
          "system",
          true,
          [kind](Replica& replica, const Case& each, const std::string&) {
            return Fire(replica, each, kind);
          },
          [kind](Replica& replica, const Case& each) { Fire(replica, each, kind); }};
}

// A verb of intake on the ticket; `fill` sets what it says.
template <class Q>
Operation Verb(const char* name, Needs needs, const char* event, const char* actor,
               grpc::Status (IntakeService::Stub::*method)(grpc::ClientContext*, const Q&,
                                                           intake::v1::Ticket*),
               void (*fill)(Q&)) {
  return {name,
          needs,
          event,
          actor,
          false,
          [=](Replica& replica, const Case& each, const std::string& request_id) {
            Q request = On<Q>(each, request_id);
            fill(request);
            const std::string who = std::string(actor) == "anna" ? each.anna : actor;
            return Call(replica, who, request, method);
          },
          nullptr};
}

Answer Decline(Replica& replica, const Case& each, const std::string& request_id) {
  auto request = On<router::v1::DeclineTicketRequest>(each, request_id);
  request.set_reason("не моё");
  return Told(replica.moves().Decline(OfRouter(each.anna, "DeclineTicket"), request));
}

Answer Reply(Replica& replica, const Case& each, const std::string& request_id) {
  auto request = On<intake::v1::AddCommentRequest>(each, request_id);
  request.set_text("Вот серийный номер");
  return Call(replica, "petrov", request, &IntakeService::Stub::AddComment);
}

std::vector<Operation> MakeOperations() {
  using desk::TimerKind;
  namespace v1 = intake::v1;
  using Stub = IntakeService::Stub;
  std::vector<Operation> all;
  all.push_back({"create", Needs::kNothing, "created", "petrov", false, Create, nullptr});
  all.push_back({"assign", Needs::kQueued, "assigned", "system", true, Assign,
                 [](Replica& replica, const Case& each) { Assign(replica, each, ""); }});
  all.push_back({"self-pick", Needs::kQueued, "assigned", "anna", false,
                 [](Replica& replica, const Case& each, const std::string& request_id) {
                   return SelfPick(replica, each.ticket, each.anna, request_id);
                 },
                 nullptr});
  all.push_back({"decline", Needs::kAssigned, "declined", "anna", false, Decline, nullptr});
  all.push_back({"transfer", Needs::kInProgress, "transferred", "anna", false,
                 [](Replica& replica, const Case& each, const std::string& request_id) {
                   return Transfer(replica, each.ticket, each.anna, each.boris, request_id);
                 },
                 nullptr});
  const auto sweep = [](Replica& replica, const Case&) { Sweep(replica); };
  all.push_back({"leave", Needs::kInProgress, "returned", "system", true, GoOnLeave, sweep});
  all.push_back(
      {"leave the team", Needs::kAssigned, "returned", "system", true, LeaveTheTeam, sweep});
  all.push_back(Verb<v1::WaitTicketRequest>(
      "wait", Needs::kInProgress, "waiting", "anna", &Stub::WaitTicket,
      [](v1::WaitTicketRequest& q) { q.set_question("Какой номер?"); }));
  all.push_back({"reply", Needs::kWaiting, "resumed", "petrov", false, Reply, nullptr});
  all.push_back(Firing("fire half", Needs::kHalfDue, "half_reminded", TimerKind::kHalf));
  all.push_back(Firing("fire breach", Needs::kBreachDue, "breached", TimerKind::kBreach));
  all.push_back(
      Firing("fire auto-close", Needs::kAutoCloseDue, "auto_closed", TimerKind::kAutoClose));
  all.push_back(Verb<v1::ResolveTicketRequest>(
      "resolve", Needs::kInProgress, "resolved", "anna", &Stub::ResolveTicket,
      [](v1::ResolveTicketRequest& q) { q.set_result("Заменил картридж"); }));
  all.push_back(Verb<v1::SendBackTicketRequest>(
      "send back", Needs::kResolved, "sent_back", "petrov", &Stub::SendBackTicket,
      [](v1::SendBackTicketRequest& q) { q.set_reason("Не печатает"); }));
  all.push_back(Verb<v1::ConfirmTicketRequest>("confirm", Needs::kResolved, "confirmed", "petrov",
                                               &Stub::ConfirmTicket,
                                               [](v1::ConfirmTicketRequest&) {}));
  all.push_back(Verb<v1::CancelTicketRequest>(
      "cancel", Needs::kInProgress, "cancelled", "petrov", &Stub::CancelTicket,
      [](v1::CancelTicketRequest& q) { q.set_reason("Сам починил"); }));
  all.push_back(Verb<v1::ReopenTicketRequest>(
      "reopen", Needs::kClosed, "reopened", "petrov", &Stub::ReopenTicket,
      [](v1::ReopenTicketRequest& q) { q.set_reason("Опять"); }));
  return all;
}

}  // namespace

std::string Answer::Text() const {
  if (!status.ok()) return absl::StrCat("refused ", reason.empty() ? status.ToString() : reason);
  return did.empty() ? "OK" : did;
}

absl::Span<const Operation> Operations() {
  static const auto* const all = new std::vector<Operation>(MakeOperations());
  return *all;
}

const Operation& Find(const std::string& name) {
  for (const Operation& operation : Operations()) {
    if (operation.name == name) return operation;
  }
  std::abort();
}

Answer SelfPick(Replica& replica, const std::string& ticket, const std::string& agent,
                const std::string& request_id) {
  router::v1::ClaimTicketRequest request;
  request.set_name(NameOf(ticket));
  request.set_request_id(request_id);
  return Told(replica.moves_with_self_pick().Claim(OfRouter(agent, "ClaimTicket"), request));
}

Answer Transfer(Replica& replica, const std::string& ticket, const std::string& from,
                const std::string& to, const std::string& request_id) {
  router::v1::TransferTicketRequest request;
  request.set_name(NameOf(ticket));
  request.set_request_id(request_id);
  request.set_agent(absl::StrCat("employees/", to));
  request.set_reason("её тема");
  return Told(replica.moves().Transfer(OfRouter(from, "TransferTicket"), request));
}

Answer Give(Replica& replica, const std::string& ticket, const std::string& to,
            const std::string& request_id) {
  router::v1::AssignTicketRequest request;
  request.set_name(NameOf(ticket));
  request.set_request_id(request_id);
  request.set_agent(absl::StrCat("employees/", to));
  request.set_reason("лучше знает");
  return Told(replica.moves().Assign(OfRouter("boss", "AssignTicket"), request));
}

}  // namespace potok::interleaving
