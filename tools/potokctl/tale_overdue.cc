// A term that runs out: the manager hears of it, steps in and reassigns.
#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "company.h"
#include "tale.h"

namespace potok::ctl {
namespace {

constexpr char kDesk[] = "it-support";

const StoryRequest& Vpn() {
  static const StoryRequest request{0,
                                    "09:40",
                                    "egorov",
                                    kDesk,
                                    "Не подключается VPN, работаю из дома",
                                    R"({"category":"network","place":"дома","stops_work":true})"};
  return request;
}

absl::StatusOr<Ticket> FileIt(Stage& stage) {
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, File(stage.connection, "overdue", Vpn()));
  TicketWatch watch(stage.connection, ticket.name(), As{});
  POTOK_RETURN_IF_ERROR(
      Expect(stage, watch, TicketEvent::TYPE_ASSIGNED, 0, TimeOf(ticket.create_time())).status());
  POTOK_ASSIGN_OR_RETURN(const auto explained, Explain(stage, ticket.name()));
  stage.narrator.Tell(TimeOf(ticket.create_time()), ticket.number(),
                      absl::StrCat(NameOf(ticket.requester()), " подаёт «", ticket.title(), "»"),
                      {absl::StrCat("обещано ", PromiseRu(ticket)), WhyChosen(explained)});
  stage.clock.Until(stage.At(0, "12:20"));
  POTOK_ASSIGN_OR_RETURN(const Ticket begun, Begun(stage, ticket.name()));
  stage.narrator.Tell(
      TimeOf(begun.update_time()), begun.number(),
      absl::StrCat(NameOf(begun.assignee()), " начинает работу и ждёт провайдера..."));
  return begun;
}

absl::Status TellReminder(Stage& stage, TicketWatch& watch, const Ticket& ticket) {
  POTOK_ASSIGN_OR_RETURN(
      const TicketEvent half,
      Expect(stage, watch, TicketEvent::TYPE_HALF_REMINDED, 0, stage.At(0, "16:40")));
  POTOK_ASSIGN_OR_RETURN(const Ticket now, Read(stage.connection, ticket.name()));
  POTOK_ASSIGN_OR_RETURN(
      const auto notice,
      ExpectNotice(stage, now.assignee(), notifier::v1::NOTICE_KIND_HALF_TERM, ticket.name()));
  stage.narrator.Tell(TimeOf(half.event_time()), ticket.number(),
                      absl::StrCat("половина срока: напоминание, ", NameOf(now.assignee()), ": «",
                                   notice.title(), "»"));
  stage.checks.Seen(Shown::kHalfTerm, absl::StrCat(ticket.number(), ", ", NameOf(now.assignee())));
  return absl::OkStatus();
}

absl::StatusOr<TicketEvent> TellBreach(Stage& stage, TicketWatch& watch, const Ticket& ticket) {
  const std::string manager = DeskOf(kDesk).manager;
  POTOK_ASSIGN_OR_RETURN(const TicketEvent breach,
                         Expect(stage, watch, TicketEvent::TYPE_BREACHED, 0, stage.At(1, "11:40")));
  POTOK_ASSIGN_OR_RETURN(
      const auto to_manager,
      ExpectNotice(stage, manager, notifier::v1::NOTICE_KIND_BREACH, ticket.name()));
  POTOK_ASSIGN_OR_RETURN(
      const auto to_requester,
      ExpectNotice(stage, ticket.requester(), notifier::v1::NOTICE_KIND_BREACH, ticket.name()));
  stage.narrator.Tell(
      TimeOf(breach.event_time()), ticket.number(), "СРОК ИСТЁК",
      {absl::StrCat("руководителю, ", NameOf(manager), ": «", to_manager.title(), "»"),
       absl::StrCat("заявителю: «", to_requester.title(), "»")});
  return breach;
}

// The agent of the first line with the most room, other than the present holder; empty when nobody
// has any.
std::string Freest(const std::vector<router::v1::AgentLoad>& loads, const std::string& holder) {
  const router::v1::AgentLoad* best = nullptr;
  for (const router::v1::AgentLoad& load : loads) {
    if (load.agent() == holder || load.active_count() >= load.max_active()) continue;
    if (load.exclusion_reason() != router::v1::EXCLUSION_REASON_UNSPECIFIED) continue;
    if (best == nullptr || load.line() < best->line() ||
        (load.line() == best->line() && load.active_count() < best->active_count())) {
      best = &load;
    }
  }
  return best == nullptr ? "" : best->agent();
}

std::string LoadsRu(const std::vector<router::v1::AgentLoad>& loads) {
  std::vector<std::string> parts;
  for (const router::v1::AgentLoad& load : loads) {
    parts.push_back(
        absl::StrCat(SurnameOf(load.agent()), " ", load.active_count(), " из ", load.max_active()));
  }
  return absl::StrJoin(parts, ", ");
}

absl::StatusOr<Ticket> Reassign(Stage& stage, const Ticket& ticket) {
  const std::string manager = DeskOf(kDesk).manager;
  const std::string reason = "Больше суток у провайдера без ответа, берём в свои руки";
  absl::Status last = absl::DeadlineExceededError("nobody had room for the overdue ticket");
  const absl::Time give_up = absl::Now() + kGrace;
  while (absl::Now() < give_up) {
    POTOK_ASSIGN_OR_RETURN(const Ticket now, Read(stage.connection, ticket.name()));
    POTOK_ASSIGN_OR_RETURN(const auto loads, Loads(stage, kDesk, FlowAdmin(manager)));
    const std::string agent = Freest(loads, now.assignee());
    if (!agent.empty()) {
      router::v1::TransferTicketRequest request;
      request.set_name(now.name());
      request.set_agent(agent);
      request.set_reason(reason);
      request.set_request_id(
          RequestIdFor(absl::StrCat("story/transfer/", now.uid(), "/", now.version(), "/", agent)));
      const auto placed = stage.connection.Call(*stage.connection.router,
                                                &router::v1::RouterService::Stub::TransferTicket,
                                                request, FlowAdmin(manager));
      if (placed.ok()) {
        stage.narrator.Tell(stage.clock.Now(), now.number(),
                            absl::StrCat(NameOf(manager), " вмешивается: ", NameOf(now.assignee()),
                                         " → ", NameOf(agent)),
                            {absl::StrCat("сейчас в отделе: ", LoadsRu(loads)),
                             absl::StrCat("причина: «", reason, "»")});
        return Read(stage.connection, now.name());
      }
      if (!MovedMeanwhile(placed.status())) return placed.status();
      last = placed.status();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return last;
}

}  // namespace

absl::Status TellOverdue(Stage& stage, Background&) {
  stage.clock.Until(stage.At(0, "11:40"));
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, FileIt(stage));
  TicketWatch watch(stage.connection, ticket.name(), As{});
  POTOK_RETURN_IF_ERROR(TellReminder(stage, watch, ticket));
  POTOK_ASSIGN_OR_RETURN(const TicketEvent breach, TellBreach(stage, watch, ticket));
  stage.clock.Until(TimeOf(breach.event_time()) + absl::Minutes(25));
  POTOK_ASSIGN_OR_RETURN(Ticket now, Reassign(stage, ticket));
  if (now.assignee() == ticket.assignee())
    return absl::InternalError("the transfer changed nothing");
  stage.checks.Seen(Shown::kBreach, absl::StrCat(now.number(), ", ", SurnameOf(ticket.assignee()),
                                                 " → ", SurnameOf(now.assignee())));
  stage.clock.Until(stage.At(1, "12:30"));
  POTOK_ASSIGN_OR_RETURN(now, Begun(stage, ticket.name()));
  // However late it came to this agent, the work itself takes its time.
  stage.clock.Until(std::max(stage.At(1, "14:45"), TimeOf(now.update_time()) + absl::Minutes(50)));
  const std::string agent = now.assignee();  // A result ends the holding.
  const std::string result = "У провайдера закрыт порт. Перевели на запасной шлюз, VPN работает.";
  POTOK_ASSIGN_OR_RETURN(now, Resolve(stage.connection, now, IdOf(agent), result));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat(NameOf(agent), ", результат: «", result, "»"));
  stage.clock.Until(std::max(stage.At(1, "16:10"), TimeOf(now.update_time()) + absl::Minutes(40)));
  POTOK_ASSIGN_OR_RETURN(now, Confirm(stage.connection, now));
  const std::string comment = "Сутки без VPN, сорвался созвон с клиентом";
  POTOK_ASSIGN_OR_RETURN(now, Rate(stage.connection, now, 2, comment));
  POTOK_ASSIGN_OR_RETURN(const auto notice,
                         ExpectNotice(stage, DeskOf(kDesk).manager,
                                      notifier::v1::NOTICE_KIND_RATED_LOW, ticket.name()));
  stage.narrator.Tell(
      TimeOf(now.update_time()), now.number(),
      absl::StrCat(NameOf(now.requester()), " принимает и ставит 2: «", comment, "»"),
      {absl::StrCat("руководителю, ", NameOf(DeskOf(kDesk).manager), ": «", notice.title(), "»")});
  stage.checks.Seen(Shown::kRatedLow, absl::StrCat(now.number(), ", «", comment, "»"));
  return absl::OkStatus();
}

}  // namespace potok::ctl
