// Two short ones: filed in the night, and declined.
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "company.h"
#include "tale.h"

namespace potok::ctl {
namespace {

const StoryRequest& FromVladivostok() {
  static const StoryRequest request{
      1,
      "02:10",
      "pak",
      "it-support",
      "Филиал: не открывается общая папка договоров",
      R"({"category":"network","place":"Владивосток, ул. Светланская, 22"})",
      Turn::kPlain,
      5,
      "Утром по Москве уже работало"};
  return request;
}

const StoryRequest& Rights() {
  static const StoryRequest request{1,
                                    "11:10",
                                    "sokolov",
                                    "it-support",
                                    "Дайте права на скидки в 1С, клиент ждёт",
                                    R"({"category":"access","system":"1С:УТ","rights":["write"]})",
                                    Turn::kPlain,
                                    5};
  return request;
}

const char* WhyQueuedRu(api::v1::QueueReason reason) {
  switch (reason) {
    case api::v1::QUEUE_REASON_OUT_OF_HOURS: return "сейчас не рабочее время исполнителей";
    case api::v1::QUEUE_REASON_NO_AGENT_PRESENT: return "никого из исполнителей нет на месте";
    case api::v1::QUEUE_REASON_ALL_AT_CAP: return "все заняты до предела";
    default: return "ждёт распределения";
  }
}

// The ticket once the router has looked at it and said why it waits.
absl::StatusOr<Ticket> QueuedWithReason(Stage& stage, const std::string& ticket) {
  const absl::Time give_up = absl::Now() + kGrace;
  while (absl::Now() < give_up) {
    POTOK_ASSIGN_OR_RETURN(const Ticket now, Read(stage.connection, ticket));
    if (now.state() != Ticket::STATE_QUEUED && !AtWork(stage.clock.Now())) {
      return absl::InternalError("a request of the night was given to somebody who is not there");
    }
    // A router that was down all night finds the agent before it could say why there was none.
    if (now.state() != Ticket::STATE_QUEUED || now.queue_reason() != api::v1::QUEUE_REASON_READY)
      return now;
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  return absl::DeadlineExceededError("the queue does not say why the request waits");
}

}  // namespace

absl::Status TellNight(Stage& stage, Background& background) {
  stage.clock.Until(stage.At(1, "02:10"));
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, File(stage.connection, "night", FromVladivostok()));
  POTOK_ASSIGN_OR_RETURN(const Ticket queued, QueuedWithReason(stage, ticket.name()));
  stage.narrator.Tell(TimeOf(ticket.create_time()), ticket.number(),
                      absl::StrCat("во Владивостоке утро: ", NameOf(ticket.requester()),
                                   " подаёт «", ticket.title(), "»"),
                      {absl::StrCat("в очереди: ", WhyQueuedRu(queued.queue_reason()),
                                    "; часы пойдут с 09:00, обещано ", PromiseRu(queued))});
  TicketWatch watch(stage.connection, ticket.name(), As{});
  POTOK_ASSIGN_OR_RETURN(const TicketEvent assigned,
                         Expect(stage, watch, TicketEvent::TYPE_ASSIGNED, 0, stage.At(1, "09:00")));
  POTOK_ASSIGN_OR_RETURN(const auto explained, Explain(stage, ticket.name()));
  stage.narrator.Tell(TimeOf(assigned.event_time()), ticket.number(), WhyChosen(explained));
  background.Adopt(queued, FromVladivostok());
  stage.checks.Seen(Shown::kNight,
                    absl::StrCat(ticket.number(), ", «", WhyQueuedRu(queued.queue_reason()),
                                 "», в ", Stamp(TimeOf(assigned.event_time())), " → ",
                                 SurnameOf(Detail(assigned, "agent"))));
  return absl::OkStatus();
}

absl::Status TellDeclined(Stage& stage, Background& background) {
  stage.clock.Until(stage.At(2, "10:40"));
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, File(stage.connection, "declined", Rights()));
  TicketWatch watch(stage.connection, ticket.name(), As{});
  POTOK_ASSIGN_OR_RETURN(const TicketEvent first, Expect(stage, watch, TicketEvent::TYPE_ASSIGNED,
                                                         0, TimeOf(ticket.create_time())));
  const std::string agent = IdOf(Detail(first, "agent"));
  stage.narrator.Tell(
      TimeOf(ticket.create_time()), ticket.number(),
      absl::StrCat(NameOf(ticket.requester()), ": «", ticket.title(), "» → ", NameOf(agent)));
  stage.clock.Until(stage.At(2, "10:55"));
  router::v1::DeclineTicketRequest request;
  request.set_name(ticket.name());
  request.set_reason("Права в 1С не у меня, это к коллегам");
  request.set_request_id(RequestIdFor(absl::StrCat("story/decline/", ticket.uid())));
  POTOK_RETURN_IF_ERROR(stage.connection
                            .Call(*stage.connection.router,
                                  &router::v1::RouterService::Stub::DeclineTicket, request,
                                  Agent(agent))
                            .status());
  POTOK_ASSIGN_OR_RETURN(const TicketEvent second, Expect(stage, watch, TicketEvent::TYPE_ASSIGNED,
                                                          first.version(), stage.clock.Now()));
  POTOK_ASSIGN_OR_RETURN(const auto explained, Explain(stage, ticket.name()));
  stage.narrator.Tell(TimeOf(second.event_time()), ticket.number(),
                      absl::StrCat(NameOf(agent), " отказывается: «", request.reason(), "»"),
                      {WhyChosen(explained)});
  background.Adopt(ticket, Rights());
  const auto left_out = LeftOut(explained, agent);
  if (IdOf(Detail(second, "agent")) == agent || !left_out ||
      left_out->reason() != router::v1::EXCLUSION_REASON_DECLINED) {
    return absl::InternalError("the one who declined was not left out");
  }
  stage.checks.Seen(Shown::kDeclined, absl::StrCat(ticket.number(), ", ", SurnameOf(agent), " → ",
                                                   SurnameOf(Detail(second, "agent"))));
  return absl::OkStatus();
}

}  // namespace potok::ctl
