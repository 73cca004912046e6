// "Срочно, нужно сегодня": who is full is passed over, a question pauses the clock, a result comes
// back.
#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "company.h"
#include "tale.h"

namespace potok::ctl {
namespace {

constexpr char kDesk[] = "accounting";
constexpr char kFull[] = "fomina";
constexpr char kReason[] = "У клиента встала линия, вылетаем в Новосибирск сегодня в 21:40";

const StoryRequest& Advance() {
  static const StoryRequest request{
      0,
      "10:15",
      "sokolov",
      kDesk,
      "СРОЧНО аванс на командировку, вылет вечером",
      R"({"kind":"advance","amount":42000,"trip":"2026-11-16/2026-11-19"})"};
  return request;
}

const router::v1::AgentLoad* LoadOf(const std::vector<router::v1::AgentLoad>& loads,
                                    const std::string& agent) {
  const auto it = std::find_if(loads.begin(), loads.end(), [&](const router::v1::AgentLoad& load) {
    return IdOf(load.agent()) == agent;
  });
  return it == loads.end() ? nullptr : &*it;
}

// Asks for the loads until they are as wanted.
template <class Wanted>
absl::StatusOr<std::vector<router::v1::AgentLoad>> LoadsOnce(Stage& stage, const Wanted& wanted) {
  const absl::Time give_up = absl::Now() + kGrace;
  while (absl::Now() < give_up) {
    POTOK_ASSIGN_OR_RETURN(auto loads, Loads(stage, kDesk, FlowAdmin("titova")));
    if (wanted(loads)) return loads;
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
  }
  return absl::DeadlineExceededError("the accountants' loads are not as the story needs them");
}

// Three requests, while one accountant is in: all of them are hers.
absl::Status FillOne(Stage& stage, Background& background) {
  for (const StoryRequest& request : FillingRequests()) {
    stage.clock.Until(stage.At(request.day, request.at));
    POTOK_ASSIGN_OR_RETURN(const Ticket ticket, File(stage.connection, request.title, request));
    TicketWatch watch(stage.connection, ticket.name(), As{});
    POTOK_ASSIGN_OR_RETURN(
        const TicketEvent assigned,
        Expect(stage, watch, TicketEvent::TYPE_ASSIGNED, 0, TimeOf(ticket.create_time())));
    stage.narrator.Tell(TimeOf(assigned.event_time()), ticket.number(),
                        absl::StrCat(NameOf(ticket.requester()), ": «", ticket.title(), "» → ",
                                     NameOf(Detail(assigned, "agent"))));
    background.Adopt(ticket, request);
  }
  POTOK_ASSIGN_OR_RETURN(const auto loads, LoadsOnce(stage, [](const auto& now) {
                           const auto* load = LoadOf(now, kFull);
                           return load != nullptr && load->active_count() == load->max_active();
                         }));
  stage.narrator.Tell(stage.clock.Now(), "",
                      absl::StrCat("в бухгалтерии с утра одна ", NameOf(kFull), ": активных ",
                                   LoadOf(loads, kFull)->active_count(), " из ",
                                   LoadOf(loads, kFull)->max_active()));
  return absl::OkStatus();
}

absl::Status LetOthersIn(Stage& stage, Background& background) {
  for (const std::string& agent : LateAccountants()) background.LetIn(agent);
  POTOK_RETURN_IF_ERROR(
      LoadsOnce(stage, [](const auto& now) {
        const auto late = LateAccountants();
        return std::all_of(late.begin(), late.end(), [&](const std::string& agent) {
          const auto* load = LoadOf(now, agent);
          return load != nullptr && load->presence_status() == router::v1::Presence::STATUS_ONLINE;
        });
      }).status());
  std::vector<std::string> names;
  for (const std::string& agent : LateAccountants()) names.push_back(NameOf(agent));
  stage.narrator.Tell(stage.clock.Now(), "",
                      absl::StrCat("из банка вернулись ", names[0], " и ", names[1]));
  return absl::OkStatus();
}

absl::StatusOr<Ticket> FileIt(Stage& stage) {
  POTOK_ASSIGN_OR_RETURN(const Ticket filed, File(stage.connection, "urgent", Advance(), kReason));
  // Read again: what is kept is what counts.
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, Read(stage.connection, filed.name()));
  stage.narrator.Tell(
      TimeOf(ticket.create_time()), ticket.number(),
      absl::StrCat(NameOf(ticket.requester()), " подаёт «", ticket.title(), "», нужно сегодня"),
      {absl::StrCat("причина: «", ticket.needed_today_reason(), "»"),
       absl::StrCat("приоритет ", ticket.priority(), " вместо 3; обещано ", PromiseRu(ticket))});
  if (ticket.priority() != 2 || SpanOf(ticket.term()) != absl::Hours(4) ||
      ticket.needed_today_reason() != kReason) {
    return absl::InternalError(
        "«нужно сегодня» did not raise the priority, cut the term and keep the reason");
  }
  stage.checks.Seen(Shown::kNeededToday, absl::StrCat(ticket.number(), ", ", PromiseRu(ticket)));
  return ticket;
}

absl::Status TellWhoAndWhy(Stage& stage, TicketWatch& watch, const Ticket& ticket) {
  POTOK_ASSIGN_OR_RETURN(
      const TicketEvent assigned,
      Expect(stage, watch, TicketEvent::TYPE_ASSIGNED, 0, TimeOf(ticket.create_time())));
  POTOK_ASSIGN_OR_RETURN(const auto explained, Explain(stage, ticket.name()));
  stage.narrator.Tell(TimeOf(assigned.event_time()), ticket.number(), WhyChosen(explained));
  const auto passed_over = LeftOut(explained, kFull);
  if (!passed_over || passed_over->reason() != router::v1::EXCLUSION_REASON_AT_CAP) {
    return absl::InternalError(
        absl::StrCat(NameOf(kFull), " was not passed over for being at the cap"));
  }
  stage.checks.Seen(Shown::kPassedOver, absl::StrCat(ticket.number(), ", ", NameOf(kFull),
                                                     ": AT_CAP, ", passed_over->details().ru()));
  return absl::OkStatus();
}

absl::Status TellPause(Stage& stage, TicketWatch& watch, const Ticket& ticket) {
  stage.clock.Until(stage.At(0, "10:40"));
  POTOK_ASSIGN_OR_RETURN(Ticket now, Begun(stage, ticket.name()));
  stage.clock.Until(stage.At(0, "11:15"));
  const std::string question =
      "Пришлите служебное задание с подписью директора, без него банк не пропустит.";
  POTOK_ASSIGN_OR_RETURN(now, Ask(stage.connection, now, IdOf(now.assignee()), question));
  POTOK_ASSIGN_OR_RETURN(const auto paused, ClockOf(stage, now.name()));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat(NameOf(now.assignee()), " спрашивает: «", question, "»"),
                      {absl::StrCat("часы стоят: израсходовано ", TermRu(SpanOf(paused.consumed())),
                                    ", осталось ", TermRu(SpanOf(paused.remaining())))});
  stage.clock.Until(stage.At(0, "12:10"));
  const std::string answer = "Приложил, подписано сегодня утром.";
  POTOK_ASSIGN_OR_RETURN(now,
                         Comment(stage.connection, now, Requester(IdOf(now.requester())), answer));
  POTOK_RETURN_IF_ERROR(
      Expect(stage, watch, TicketEvent::TYPE_RESUMED, 0, TimeOf(now.update_time())).status());
  POTOK_ASSIGN_OR_RETURN(const auto running, ClockOf(stage, now.name()));
  stage.narrator.Tell(
      TimeOf(now.update_time()), now.number(),
      absl::StrCat(NameOf(now.requester()), " отвечает: «", answer, "»"),
      {absl::StrCat("часы снова идут; срок сдвинулся на время ожидания: ", PromiseRu(now))});
  if (paused.state() != sla_timer::v1::Clock::STATE_PAUSED ||
      running.state() != sla_timer::v1::Clock::STATE_RUNNING ||
      TimeOf(now.due_time()) <= TimeOf(ticket.due_time())) {
    return absl::InternalError(
        "the question did not pause the clock, or the answer did not start it again");
  }
  stage.checks.Seen(Shown::kPause, absl::StrCat(now.number(), ", срок сдвинулся с ",
                                                Stamp(TimeOf(ticket.due_time())), " на ",
                                                Stamp(TimeOf(now.due_time()))));
  return absl::OkStatus();
}

absl::StatusOr<Ticket> TellSentBack(Stage& stage, const Ticket& ticket) {
  stage.clock.Until(stage.At(0, "14:20"));
  POTOK_ASSIGN_OR_RETURN(Ticket now, Begun(stage, ticket.name()));
  const std::string first = "Аванс 42 000 ₽ перечислен на карту.";
  POTOK_ASSIGN_OR_RETURN(now, Resolve(stage.connection, now, IdOf(now.assignee()), first));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat("результат: «", first, "»"));
  stage.clock.Until(stage.At(0, "14:50"));
  const std::string reason = "Пришло 38 500, не хватает суточных за день прилёта.";
  POTOK_ASSIGN_OR_RETURN(now, SendBack(stage.connection, now, reason));
  stage.narrator.Tell(
      TimeOf(now.update_time()), now.number(),
      absl::StrCat(NameOf(now.requester()), " возвращает: «", reason, "»"),
      {absl::StrCat("возврат ", now.return_count(), "; часы продолжают с того места, где стояли")});
  stage.clock.Until(stage.At(0, "15:20"));
  POTOK_ASSIGN_OR_RETURN(now, Begun(stage, ticket.name()));
  const std::string second =
      "Доплатили суточные, 3 500 ₽, пришли на карту.";
  POTOK_ASSIGN_OR_RETURN(now, Resolve(stage.connection, now, IdOf(now.assignee()), second));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat("результат: «", second, "»"));
  if (now.return_count() == 1) stage.checks.Seen(Shown::kSentBack, now.number());
  return now;
}

}  // namespace

std::vector<std::string> LateAccountants() { return {"bykov", "melnik"}; }

absl::Status TellUrgent(Stage& stage, Background& background) {
  POTOK_RETURN_IF_ERROR(FillOne(stage, background));
  stage.clock.Until(stage.At(0, "10:00"));
  POTOK_RETURN_IF_ERROR(LetOthersIn(stage, background));
  stage.clock.Until(stage.At(0, "10:15"));
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, FileIt(stage));
  TicketWatch watch(stage.connection, ticket.name(), As{});
  POTOK_RETURN_IF_ERROR(TellWhoAndWhy(stage, watch, ticket));
  POTOK_RETURN_IF_ERROR(TellPause(stage, watch, ticket));
  POTOK_ASSIGN_OR_RETURN(Ticket now, TellSentBack(stage, ticket));
  stage.clock.Until(stage.At(0, "16:00"));
  POTOK_ASSIGN_OR_RETURN(now, Confirm(stage.connection, now));
  POTOK_ASSIGN_OR_RETURN(now,
                         Rate(stage.connection, now, 4, "Со второго раза, но успели до вылета"));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat(NameOf(now.requester()), " принимает работу и ставит 4: «",
                                   now.rating_comment(), "»"),
                      {now.overdue() ? "срок нарушен" : "выполнено в срок"});
  return absl::OkStatus();
}

}  // namespace potok::ctl
