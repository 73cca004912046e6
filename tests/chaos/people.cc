// What agents and requesters do during a run.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "chaos/company.h"
#include "chaos/traffic.h"

namespace potok::chaos {
namespace {

using intake::v1::Ticket;
using Intake = intake::v1::IntakeService::Stub;
using Router = router::v1::RouterService::Stub;

// Each look at one's work leads to so many acts at most: people are not machines.
constexpr int kActsALook = 4;
constexpr absl::Duration kLatePast = absl::Seconds(8);

As Agent(const std::string& employee) { return {employee, "requester+agent"}; }
As Requester(const std::string& employee) { return {employee, "requester"}; }
As Head() { return {kHead, "requester+agent+flowAdmin"}; }

}  // namespace

template <class Stub, class Q, class A>
Told Traffic::Do(std::unique_ptr<Stub> Stubs::*stub,
                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*), Q request,
                 const As& as, A* answer) {
  request.set_request_id(Choices(seed_, "act", act_.fetch_add(1)).Uuid());
  const Told told = caller_.Call(stub, method, request, as, answer);
  if (told.ok()) {
    oracle_.Add(Act{Q::descriptor()->name(),
                    std::string(absl::StripPrefix(request.name(), "tickets/")),
                    request.request_id()});
  }
  return told;
}

// Used by traffic.cc.
template Told Traffic::Do(std::unique_ptr<Intake> Stubs::*,
                          grpc::Status (Intake::*)(grpc::ClientContext*,
                                                   const intake::v1::CancelTicketRequest&, Ticket*),
                          intake::v1::CancelTicketRequest, const As&, Ticket*);

void Traffic::Look(const std::string& agent, int64_t turn) {
  intake::v1::ListMyWorkRequest request;
  request.set_page_size(20);
  intake::v1::ListMyWorkResponse work;
  const Told told = caller_.Call(&Stubs::intake, &Intake::ListMyWork, request, Agent(agent), &work);
  Choices choices(seed_, agent, static_cast<uint64_t>(turn));
  if (told.ok()) {
    int acts = 0;
    for (const Ticket& ticket : work.tickets()) {
      if (stop_ || acts == kActsALook) break;
      if (ticket.state() == Ticket::STATE_WAITING) continue;
      Work(agent, ticket);
      ++acts;
    }
  }
  Later(choices.Between(absl::Milliseconds(200), absl::Milliseconds(400)),
        [this, agent, turn] { Look(agent, turn + 1); });
}

void Traffic::Work(const std::string& agent, const Ticket& ticket) {
  int64_t index = 0;
  if (!absl::SimpleAtoi(absl::StripPrefix(ticket.title(), "Request "), &index)) return;
  const Fate fate = FateOf(seed_, index, options_.flows);
  Ticket answer;
  if (ticket.state() == Ticket::STATE_ASSIGNED) {
    if (fate.declined && Once(ticket.name(), "declined")) {
      router::v1::DeclineTicketRequest decline;
      decline.set_name(ticket.name());
      decline.set_reason("Not mine");
      router::v1::Placement placement;
      Do(&Stubs::router, &Router::DeclineTicket, decline, Agent(agent), &placement);
      return;
    }
    intake::v1::StartTicketRequest start;
    start.set_name(ticket.name());
    Do(&Stubs::intake, &Intake::StartTicket, start, Agent(agent), &answer);
    return;
  }
  if (fate.asks && Once(ticket.name(), "asked")) {
    intake::v1::WaitTicketRequest wait;
    wait.set_name(ticket.name());
    wait.set_question("Which floor?");
    if (!Do(&Stubs::intake, &Intake::WaitTicket, wait, Agent(agent), &answer).ok()) return;
    Choices choices(seed_, "reply", static_cast<uint64_t>(index));
    Later(choices.Between(absl::Milliseconds(300), absl::Seconds(2)),
          [this, fate, name = ticket.name()] {
            intake::v1::AddCommentRequest comment;
            comment.set_name(name);
            comment.set_text("The second");
            intake::v1::AddCommentResponse told;
            Do(&Stubs::intake, &Intake::AddComment, comment, Requester(fate.requester), &told);
          });
    return;
  }
  if (fate.late && Once(ticket.name(), "late")) {
    Later(kLatePast, [this, name = ticket.name()] { Once(name, "late enough"); });
    return;
  }
  {
    absl::MutexLock lock(&mu_);
    if (fate.late && !done_once_.contains(ticket.name() + "/late enough")) return;
  }
  intake::v1::ResolveTicketRequest resolve;
  resolve.set_name(ticket.name());
  resolve.set_result("Done");
  if (!Do(&Stubs::intake, &Intake::ResolveTicket, resolve, Agent(agent), &answer).ok()) return;
  if (answer.state() != Ticket::STATE_RESOLVED) return;
  Choices choices(seed_, "after", static_cast<uint64_t>(index));
  Later(choices.Between(absl::Milliseconds(200), absl::Seconds(2)),
        [this, fate, name = ticket.name()] { AfterResult(fate, name); });
}

void Traffic::AfterResult(const Fate& fate, const std::string& ticket) {
  if (fate.after == Fate::After::kSilent) return;
  Ticket answer;
  if (fate.after == Fate::After::kSendBack && Once(ticket, "sent back")) {
    intake::v1::SendBackTicketRequest back;
    back.set_name(ticket);
    back.set_reason("As before");
    Do(&Stubs::intake, &Intake::SendBackTicket, back, Requester(fate.requester), &answer);
    return;
  }
  intake::v1::ConfirmTicketRequest confirm;
  confirm.set_name(ticket);
  if (!Do(&Stubs::intake, &Intake::ConfirmTicket, confirm, Requester(fate.requester), &answer)
           .ok()) {
    return;
  }
  if (fate.after == Fate::After::kRate) {
    intake::v1::RateTicketRequest rate;
    rate.set_name(ticket);
    rate.set_score(1 + static_cast<int>(fate.description.size() % 5));
    Do(&Stubs::intake, &Intake::RateTicket, rate, Requester(fate.requester), &answer);
  } else if (fate.after == Fate::After::kReopen && Once(ticket, "reopened")) {
    intake::v1::ReopenTicketRequest reopen;
    reopen.set_name(ticket);
    reopen.set_reason("It is back");
    Do(&Stubs::intake, &Intake::ReopenTicket, reopen, Requester(fate.requester), &answer);
  }
}

// Three agents reach for the same version of the same ticket.
void Traffic::Race(int64_t turn) {
  const Desk& desk = DeskOf("pick");
  Choices choices(seed_, "race", static_cast<uint64_t>(turn));
  router::v1::ListQueueRequest look;
  look.set_parent("flows/" + desk.flow);
  look.set_page_size(3);
  router::v1::ListQueueResponse queue;
  const As first = Agent(desk.agents[static_cast<size_t>(choices.Below(4))]);
  if (caller_.Call(&Stubs::router, &Router::ListQueue, look, first, &queue).ok()) {
    for (const router::v1::QueueEntry& entry : queue.queue_entries()) {
      if (stop_) break;
      intake::v1::GetTicketRequest get;
      get.set_name(entry.ticket());
      Ticket ticket;
      if (!caller_.Call(&Stubs::intake, &Intake::GetTicket, get, first, &ticket).ok()) continue;
      const int from = choices.Below(4);
      for (int racer = 0; racer < 3; ++racer) {
        const std::string agent = desk.agents[static_cast<size_t>((from + racer) % 4)];
        Later({}, [this, agent, ticket] {
          router::v1::ClaimTicketRequest claim;
          claim.set_name(ticket.name());
          claim.set_etag(ticket.etag());
          router::v1::Placement placement;
          const Told told =
              Do(&Stubs::router, &Router::ClaimTicket, claim, Agent(agent), &placement);
          oracle_.Add(Pick{ticket.name(), ticket.etag(), agent, told.outcome});
        });
      }
    }
  }
  Later(absl::Milliseconds(300), [this, turn] { Race(turn + 1); });
}

void Traffic::HandOut(int64_t turn) {
  const Desk& desk = DeskOf("hand");
  router::v1::ListQueueRequest look;
  look.set_parent("flows/" + desk.flow);
  look.set_page_size(5);
  router::v1::ListQueueResponse queue;
  if (caller_.Call(&Stubs::router, &Router::ListQueue, look, Head(), &queue).ok()) {
    int at = static_cast<int>(turn);
    for (const router::v1::QueueEntry& entry : queue.queue_entries()) {
      if (stop_) break;
      router::v1::AssignTicketRequest assign;
      assign.set_name(entry.ticket());
      assign.set_agent("employees/" + desk.agents[static_cast<size_t>(at++ % 2)]);
      assign.set_reason("Free hands");
      router::v1::Placement placement;
      Do(&Stubs::router, &Router::AssignTicket, assign, Head(), &placement);
    }
  }
  Later(absl::Milliseconds(500), [this, turn] { HandOut(turn + 1); });
}

// Somebody goes for a while and comes back.
void Traffic::LeaveAndReturn(int64_t turn) {
  Choices choices(seed_, "leave", static_cast<uint64_t>(turn));
  const Desk& desk = DeskOf(choices.Chance(0.5) ? "ring" : "scale");
  const std::string agent =
      desk.agents[static_cast<size_t>(choices.Below(static_cast<int>(desk.agents.size())))];
  const auto show = [this, agent](router::v1::Presence::Status status, const std::string& id) {
    router::v1::SetPresenceRequest presence;
    presence.set_name(absl::StrCat("employees/", agent, "/presence"));
    presence.set_status(status);
    presence.set_request_id(id);
    router::v1::Presence answer;
    (void)caller_.Call(&Stubs::team, &router::v1::TeamService::Stub::SetPresence, presence,
                       Agent(agent), &answer);
  };
  show(router::v1::Presence::STATUS_OFFLINE, choices.Uuid());
  Later(choices.Between(absl::Milliseconds(500), absl::Seconds(2)),
        [show, id = choices.Uuid()] { show(router::v1::Presence::STATUS_ONLINE, id); });
  Later(absl::Seconds(2), [this, turn] { LeaveAndReturn(turn + 1); });
}

}  // namespace potok::chaos
