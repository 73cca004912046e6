// CreateTicket: from a request on the wire to a numbered ticket with a promise.
#include <random>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/entropy.h"
#include "base/status_macros.h"
#include "desk/ticket/decide.h"
#include "desk/ticket/ids.h"
#include "intake/domain/ticket_content_hash.h"
#include "intake/rpc/convert_ticket.h"
#include "intake/rpc/intake_rpc.h"
#include "ledger/definition_codec.h"

namespace potok::intake {
namespace {

uint64_t RandomBits() {
  // Ids need to be unique, not secret; one generator a thread, seeded by the system.
  thread_local std::mt19937_64 generator(KernelEntropy());
  return generator();
}

// What makes two filings the same one. The request as it came in, before defaults: a retry after a
// change of the form must still find its first answer.
std::string ContentOf(const Filing& filing) {
  return ContentHash()
      .Add("flow", filing.flow_id)
      .Add("requester", filing.requester)
      .Add("channel", filing.channel)
      .Add("title", filing.title)
      .Add("description", filing.description)
      .Add("fields", ledger::ToJson(filing.answers))
      .Add("urgency", filing.urgency)
      .Add("impact", filing.impact)
      .Add("needed_today", filing.needed_today ? 1 : 0)
      .Add("needed_today_reason", filing.needed_today_reason)
      .Hex();
}

bool Knows(const ledger::ReferenceSnapshot& reference, const Filing& filing,
           const std::string& requester) {
  return reference.Flow(filing.flow_id) != nullptr && reference.FindEmployee(requester) != nullptr;
}

}  // namespace

absl::StatusOr<IntakeRpc::Accepted> IntakeRpc::Accept(const CallContext& call, const Filing& filing,
                                                      const v1::CreateTicketRequest& request,
                                                      ReferencePointer reference) {
  POTOK_ASSIGN_OR_RETURN(const std::string requester_id, RequesterOf(filing, call.caller));
  Accepted accepted;
  accepted.reference = std::move(reference);
  // A name nobody knows may have been written a moment ago by another process: look once more
  // before saying so.
  if (!Knows(*accepted.reference, filing, requester_id)) {
    POTOK_RETURN_IF_ERROR(parts_.reference.Refresh());
    accepted.reference = parts_.reference.Snapshot();
  }
  const desk::Flow* flow = accepted.reference->Flow(filing.flow_id);
  if (flow == nullptr) return UnknownFlow(filing.flow_id);
  Requester requester;
  requester.id = requester_id;
  if (const ledger::Employee* employee = accepted.reference->FindEmployee(requester_id)) {
    requester.department = employee->department;
    requester.known = true;
    requester.active = employee->active;
  }
  desk::Answers answers;
  POTOK_ASSIGN_OR_RETURN(desk::TicketOrigin draft,
                         AcceptFiling(filing, call.caller, requester, *flow, answers));
  for (const auto& [field, employee] : EmployeesNamed(flow->form, answers)) {
    if (accepted.reference->FindEmployee(employee) == nullptr) {
      return UnknownEmployee(field, employee);
    }
  }
  draft.fields_json = ledger::ToJson(answers);
  draft.request_id = absl::AsciiStrToLower(request.request_id());
  draft.part = desk::PartOf(call.caller.principal, draft.request_id);
  draft.created_at = parts_.clock.Now();
  draft.id = desk::MakeTicketId(draft.created_at, draft.part, RandomBits());
  accepted.create.draft = std::move(draft);
  return accepted;
}

absl::StatusOr<v1::Ticket> IntakeRpc::Promise(const CallContext& call,
                                              const Accepted& accepted) const {
  const ledger::ReferenceSnapshot& reference = *accepted.reference;
  desk::Facts facts;
  facts.flow = reference.Flow(accepted.create.draft.flow_id);
  facts.policy = reference.PolicyOf(*facts.flow);
  if (facts.policy != nullptr) facts.calendar = reference.CalendarOf(*facts.policy);
  if (facts.calendar == nullptr) {
    return absl::UnavailableError(
        "the flow's SLA policy or calendar is not readable yet; try again");
  }
  desk::Command command;
  command.viewer = reference.ViewerOf(call.caller);
  command.action = accepted.create;
  const absl::Time now = accepted.create.draft.created_at;
  POTOK_ASSIGN_OR_RETURN(const desk::Event event, desk::Decide(facts, nullptr, command, now));
  const desk::Ticket ticket = desk::Apply(desk::Unborn(accepted.create.draft), event);
  v1::Ticket answer = ToWire(ticket, v1::TICKET_VIEW_FULL, now, desk::QueueReason::kReady);
  // It does not exist: no name to read it by, and no etag to change it with.
  answer.clear_name();
  answer.clear_uid();
  answer.clear_etag();
  answer.clear_version();
  return answer;
}

void IntakeRpc::File(const CallContext& call, const v1::CreateTicketRequest& q,
                     const absl::StatusOr<Filing>& filing, ReferencePointer reference,
                     const rpc::Answer<v1::Ticket>& answer) {
  if (!filing.ok()) return answer(filing.status());
  // Ahead of all work: what is put off must cost next to nothing. A repeat of what was filed
  // before is put off as well; it is answered when requests are taken again.
  if (!q.validate_only()) {
    const absl::Status admitted = parts_.admission.Check(
        desk::PriorityOf(filing->urgency, filing->impact, filing->needed_today), q.bulk(),
        static_cast<double>(RandomBits() >> 11) * 0x1p-53);
    if (!admitted.ok()) return answer(admitted);
  }
  absl::StatusOr<Accepted> accepted = Accept(call, *filing, q, std::move(reference));
  if (q.validate_only()) {
    if (!accepted.ok()) return answer(accepted.status());
    return answer(Promise(call, *accepted));
  }
  desk::Command command;
  command.viewer = ViewerOf(call);
  command.method = "CreateTicket";
  command.request_id = absl::AsciiStrToLower(q.request_id());
  command.body_hash = ContentOf(*filing);
  desk::CreateTicket create;
  if (accepted.ok()) {
    create = std::move(accepted->create);
  } else {
    // Not acceptable now, but it may have been when it was sent first:
    // the form, the directory or the flow has changed since.
    command.refusal = accepted.status();
    create.draft.part = desk::PartOf(call.caller.principal, command.request_id);
  }
  command.action = std::move(create);
  parts_.ledger.Submit(std::move(command), call.deadline,
                       [this, answer](absl::StatusOr<ledger::Outcome> outcome) {
                         if (!outcome.ok()) return answer(outcome.status());
                         answer(Show(*outcome));
                       });
}

IntakeRpc::Reactor* IntakeRpc::CreateTicket(Context* c, const v1::CreateTicketRequest* q,
                                            v1::Ticket* a) {
  return parts_.front.Prompt(
      c, q, a,
      [this](const CallContext& call, const v1::CreateTicketRequest& q,
             const rpc::Answer<v1::Ticket>& answer) {
        const absl::StatusOr<Filing> filing = FilingFromWire(q.ticket());
        ReferencePointer reference = parts_.reference.Snapshot();
        if (filing.ok()) {
          // Whoever has to look for a name in the database waits for it.
          const absl::StatusOr<std::string> requester = RequesterOf(*filing, call.caller);
          if (requester.ok() && !Knows(*reference, *filing, *requester)) return false;
        }
        File(call, q, filing, std::move(reference), answer);
        return true;
      },
      [this](const CallContext& call, const v1::CreateTicketRequest& q,
             const rpc::Answer<v1::Ticket>& answer) {
        File(call, q, FilingFromWire(q.ticket()), parts_.reference.Snapshot(), answer);
      });
}

}  // namespace potok::intake
