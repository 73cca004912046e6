// The verbs: what people do to a ticket. Each is one command for the ledger.
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/access/visibility.h"
#include "desk/ticket/refusal.h"
#include "intake/domain/ticket_content_hash.h"
#include "intake/rpc/convert_event.h"
#include "intake/rpc/convert_ticket.h"
#include "intake/rpc/intake_rpc.h"
#include "ledger/history.h"

namespace potok::intake {
namespace {

// How often a command that depends on the ticket's state looks when others are faster.
constexpr int kLooks = 8;

// "StartTicket" of "/potok.intake.v1.IntakeService/StartTicket".
std::string VerbOf(const CallContext& call) {
  return call.method.substr(call.method.rfind('/') + 1);
}

absl::Status BadEtag() {
  return BadField("etag",
                  "must be an etag as GetTicket gives it, such as \"\\\"7\\\"\"; empty: no check",
                  "должно быть таким, как его даёт GetTicket; пустое - без проверки");
}

}  // namespace

v1::Ticket IntakeRpc::Show(const ledger::Outcome& outcome) const {
  // A command that leaves the ticket queued has only just put it there. `overdue` is judged at the
  // event, so that the answer to a repeated call is the first answer to the letter.
  return ToWire(outcome.ticket, v1::TICKET_VIEW_FULL, outcome.event.at, desk::QueueReason::kReady);
}

absl::StatusOr<IntakeRpc::Choice> IntakeRpc::Resume(const CallContext& call,
                                                    const desk::Ticket& ticket,
                                                    const std::string& text) const {
  desk::ResumeTicket resume{.text = text, .holder_left = false};
  if (!ticket.assignee.empty()) {
    POTOK_ASSIGN_OR_RETURN(resume.holder_left,
                           parts_.reads.HolderGone(ticket, parts_.clock.Now(), call.deadline));
  }
  return Choice{std::move(resume), true};
}

template <class Request>
absl::StatusOr<desk::Command> IntakeRpc::CommandOf(const CallContext& call, const Request& request,
                                                   desk::Action action, std::string content) const {
  desk::Command command;
  POTOK_ASSIGN_OR_RETURN(command.ticket_id, TicketIdOf("name", request.name()));
  command.viewer = ViewerOf(call);
  command.method = VerbOf(call);
  command.request_id = absl::AsciiStrToLower(request.request_id());
  if (!request.etag().empty()) {
    command.expected_version = ledger::VersionOfEtag(request.etag());
    if (!command.expected_version) return BadEtag();
  }
  command.body_hash = ContentHash()
                          .Add("ticket", command.ticket_id)
                          .Add("etag", request.etag())
                          .Add("content", content)
                          .Hex();
  command.action = std::move(action);
  return command;
}

// `make_action`: (request, ContentHash& of its own fields) -> StatusOr<Action>.
template <class Request, class MakeAction>
IntakeRpc::Reactor* IntakeRpc::Verb(Context* c, const Request* q, v1::Ticket* a,
                                    MakeAction make_action) {
  return parts_.front.Async(c, q, a,
                            [this, make_action](const CallContext& call, const Request& q,
                                                rpc::Answer<v1::Ticket> answer) {
                              ContentHash content;
                              absl::StatusOr<desk::Action> action = make_action(q, content);
                              if (!action.ok()) return answer(action.status());
                              absl::StatusOr<desk::Command> command =
                                  CommandOf(call, q, *std::move(action), content.Hex());
                              if (!command.ok()) return answer(command.status());
                              parts_.ledger.Submit(
                                  *std::move(command), call.deadline,
                                  [this, answer](absl::StatusOr<ledger::Outcome> outcome) {
                                    if (!outcome.ok()) return answer(outcome.status());
                                    answer(Show(*outcome));
                                  });
                            });
}

IntakeRpc::Reactor* IntakeRpc::StartTicket(Context* c, const v1::StartTicketRequest* q,
                                           v1::Ticket* a) {
  return Verb(c, q, a,
              [](const v1::StartTicketRequest&, ContentHash&) -> absl::StatusOr<desk::Action> {
                return desk::StartTicket{};
              });
}

IntakeRpc::Reactor* IntakeRpc::WaitTicket(Context* c, const v1::WaitTicketRequest* q,
                                          v1::Ticket* a) {
  return Verb(
      c, q, a,
      [](const v1::WaitTicketRequest& q, ContentHash& hash) -> absl::StatusOr<desk::Action> {
        POTOK_RETURN_IF_ERROR(CheckText("question", q.question(), true));
        hash.Add("question", q.question());
        return desk::WaitTicket{q.question()};
      });
}

IntakeRpc::Reactor* IntakeRpc::ResolveTicket(Context* c, const v1::ResolveTicketRequest* q,
                                             v1::Ticket* a) {
  return Verb(
      c, q, a,
      [](const v1::ResolveTicketRequest& q, ContentHash& hash) -> absl::StatusOr<desk::Action> {
        POTOK_RETURN_IF_ERROR(CheckText("result", q.result(), true));
        hash.Add("result", q.result());
        return desk::ResolveTicket{q.result()};
      });
}

IntakeRpc::Reactor* IntakeRpc::ConfirmTicket(Context* c, const v1::ConfirmTicketRequest* q,
                                             v1::Ticket* a) {
  return Verb(c, q, a,
              [](const v1::ConfirmTicketRequest&, ContentHash&) -> absl::StatusOr<desk::Action> {
                return desk::ConfirmTicket{};
              });
}

IntakeRpc::Reactor* IntakeRpc::SendBackTicket(Context* c, const v1::SendBackTicketRequest* q,
                                              v1::Ticket* a) {
  return Verb(
      c, q, a,
      [](const v1::SendBackTicketRequest& q, ContentHash& hash) -> absl::StatusOr<desk::Action> {
        POTOK_RETURN_IF_ERROR(CheckText("reason", q.reason(), true));
        hash.Add("reason", q.reason());
        return desk::SendBackTicket{q.reason()};
      });
}

IntakeRpc::Reactor* IntakeRpc::RateTicket(Context* c, const v1::RateTicketRequest* q,
                                          v1::Ticket* a) {
  return Verb(
      c, q, a,
      [](const v1::RateTicketRequest& q, ContentHash& hash) -> absl::StatusOr<desk::Action> {
        POTOK_RETURN_IF_ERROR(CheckText("comment", q.comment(), false));
        hash.Add("score", q.score()).Add("comment", q.comment());
        return desk::RateTicket{q.score(), q.comment()};
      });
}

IntakeRpc::Reactor* IntakeRpc::CancelTicket(Context* c, const v1::CancelTicketRequest* q,
                                            v1::Ticket* a) {
  return Verb(
      c, q, a,
      [](const v1::CancelTicketRequest& q, ContentHash& hash) -> absl::StatusOr<desk::Action> {
        POTOK_RETURN_IF_ERROR(CheckText("reason", q.reason(), true));
        hash.Add("reason", q.reason());
        return desk::CancelTicket{q.reason()};
      });
}

IntakeRpc::Reactor* IntakeRpc::ReopenTicket(Context* c, const v1::ReopenTicketRequest* q,
                                            v1::Ticket* a) {
  return Verb(
      c, q, a,
      [](const v1::ReopenTicketRequest& q, ContentHash& hash) -> absl::StatusOr<desk::Action> {
        POTOK_RETURN_IF_ERROR(CheckText("reason", q.reason(), true));
        hash.Add("reason", q.reason());
        return desk::ReopenTicket{q.reason()};
      });
}

IntakeRpc::Reactor* IntakeRpc::ExtendDeadline(Context* c, const v1::ExtendDeadlineRequest* q,
                                              v1::Ticket* a) {
  return Verb(
      c, q, a,
      [](const v1::ExtendDeadlineRequest& q, ContentHash& hash) -> absl::StatusOr<desk::Action> {
        POTOK_RETURN_IF_ERROR(CheckText("reason", q.reason(), true));
        POTOK_ASSIGN_OR_RETURN(const absl::Time due, TimeFromWire("due_time", q.due_time()));
        hash.Add("due_time", absl::ToUnixMicros(due)).Add("reason", q.reason());
        return desk::ExtendDeadline{due, q.reason()};
      });
}

void IntakeRpc::Decide(const CallContext& call, desk::Command command, const Choose& choose,
                       Done done) {
  for (int look = 1;; ++look) {
    absl::StatusOr<std::optional<TicketSeen>> seen =
        parts_.reads.Find(command.ticket_id, call.deadline);
    if (!seen.ok()) return done(seen.status());
    // Unknown and invisible tickets are the ledger's to refuse, in the words it has for them.
    const bool visible =
        seen->has_value() && desk::RelationOf(command.viewer, (*seen)->ticket).sees;
    if (!visible) return parts_.ledger.Submit(std::move(command), call.deadline, std::move(done));
    absl::StatusOr<Choice> choice = choose((*seen)->ticket);
    if (!choice.ok()) return done(choice.status());
    desk::Command decided = command;
    decided.action = std::move(choice->action);
    // The last look goes through whatever happened meanwhile: a caller who named no etag is not to
    // be refused because others are busy.
    const bool bound = choice->of_this_version && !command.expected_version && look < kLooks;
    if (!bound) return parts_.ledger.Submit(std::move(decided), call.deadline, std::move(done));
    decided.expected_version = (*seen)->ticket.version;
    // Waits for the ledger: whether to look again is known only then. Callers of this path are
    // people who type, not traffic.
    absl::StatusOr<ledger::Outcome> outcome =
        parts_.ledger.Execute(std::move(decided), call.deadline);
    const bool moved = !outcome.ok() && GetErrorDetail(outcome.status()).reason == "ETAG_MISMATCH";
    if (!moved) return done(std::move(outcome));
  }
}

IntakeRpc::Reactor* IntakeRpc::ResumeTicket(Context* c, const v1::ResumeTicketRequest* q,
                                            v1::Ticket* a) {
  return parts_.front.Async(
      c, q, a,
      [this](const CallContext& call, const v1::ResumeTicketRequest& q,
             rpc::Answer<v1::Ticket> answer) {
        absl::StatusOr<desk::Command> command = CommandOf(call, q, desk::ResumeTicket{}, "");
        if (!command.ok()) return answer(command.status());
        Decide(
            call, *std::move(command),
            [this, &call](const desk::Ticket& ticket) { return Resume(call, ticket, ""); },
            [this, answer](absl::StatusOr<ledger::Outcome> outcome) {
              if (!outcome.ok()) return answer(outcome.status());
              answer(Show(*outcome));
            });
      });
}

IntakeRpc::Reactor* IntakeRpc::AddComment(Context* c, const v1::AddCommentRequest* q,
                                          v1::AddCommentResponse* a) {
  return parts_.front.Async(
      c, q, a,
      [this](const CallContext& call, const v1::AddCommentRequest& q,
             rpc::Answer<v1::AddCommentResponse> answer) {
        if (const absl::Status words = CheckText("text", q.text(), true); !words.ok()) {
          return answer(words);
        }
        const Done done = [this, answer](absl::StatusOr<ledger::Outcome> outcome) {
          if (!outcome.ok()) return answer(outcome.status());
          v1::AddCommentResponse response;
          *response.mutable_event() = ToWire(outcome->ticket.id, outcome->event);
          *response.mutable_ticket() = Show(*outcome);
          answer(std::move(response));
        };
        const std::string content =
            ContentHash().Add("text", q.text()).Add("internal", q.internal() ? 1 : 0).Hex();
        absl::StatusOr<desk::Command> command =
            CommandOf(call, q, desk::AddComment{q.text(), q.internal()}, content);
        if (!command.ok()) return answer(command.status());
        const desk::Viewer viewer = command->viewer;
        // The requester's word ends the wait for it. That depends on the state, so it is bound to
        // the version that was seen: a reply must not slip in beside a question asked in the same
        // instant.
        Decide(
            call, *std::move(command),
            [this, &call, &q, &viewer](const desk::Ticket& ticket) -> absl::StatusOr<Choice> {
              const bool reply = !q.internal() && desk::RelationOf(viewer, ticket).requester;
              if (reply && ticket.state == desk::State::kWaiting) {
                return Resume(call, ticket, q.text());
              }
              return Choice{desk::AddComment{q.text(), q.internal()}, reply};
            },
            done);
      });
}

}  // namespace potok::intake
