// "Справка 2-НДФЛ": the request as it should go.
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "company.h"
#include "tale.h"

namespace potok::ctl {
namespace {

const StoryRequest& Certificate() {
  static const StoryRequest request{
      0,
      "09:05",
      "ivanova",
      "hr-certificates",
      "Справка 2-НДФЛ за 2025 год для банка",
      R"({"kind":"2-ndfl","period":"2025-01-01/2025-12-31","delivery":"mail","address":"ivanova@example.test","purpose":"банк, ипотека"})"};
  return request;
}

absl::StatusOr<Ticket> FileIt(Stage& stage) {
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, File(stage.connection, "certificate", Certificate()));
  stage.narrator.Tell(
      TimeOf(ticket.create_time()), ticket.number(),
      absl::StrCat(NameOf(ticket.requester()), " подаёт заявку «", ticket.title(), "»"),
      {"форма: какая - 2-НДФЛ; за какой период - 01.01.2025-31.12.2025; как получить - по почте",
       absl::StrCat("обещано ", PromiseRu(ticket))});
  POTOK_ASSIGN_OR_RETURN(const auto notice,
                         ExpectNotice(stage, ticket.requester(),
                                      notifier::v1::NOTICE_KIND_CONFIRMATION, ticket.name()));
  stage.narrator.Tell(TimeOf(notice.create_time()), ticket.number(),
                      absl::StrCat("подтверждение заявителю: «", notice.title(), "»"));
  if (ticket.number().rfind("HR-", 0) != 0 || SpanOf(ticket.term()) != absl::Hours(16)) {
    return absl::InternalError(absl::StrCat("promised ", TermRu(SpanOf(ticket.term())), " to ",
                                            ticket.number(),
                                            ", two working days to HR-... were expected"));
  }
  stage.checks.Seen(Shown::kPromise, absl::StrCat(ticket.number(), ", ", PromiseRu(ticket)));
  return ticket;
}

absl::Status TellHolder(Stage& stage, TicketWatch& watch, const Ticket& ticket) {
  POTOK_ASSIGN_OR_RETURN(
      const TicketEvent assigned,
      Expect(stage, watch, TicketEvent::TYPE_ASSIGNED, 0, TimeOf(ticket.create_time())));
  POTOK_ASSIGN_OR_RETURN(const auto explained, Explain(stage, ticket.name()));
  stage.narrator.Tell(TimeOf(assigned.event_time()), ticket.number(), WhyChosen(explained));
  return absl::OkStatus();
}

absl::Status TellReminder(Stage& stage, TicketWatch& watch, const Ticket& ticket) {
  POTOK_ASSIGN_OR_RETURN(
      const TicketEvent half,
      Expect(stage, watch, TicketEvent::TYPE_HALF_REMINDED, 0, stage.At(1, "09:05")));
  POTOK_ASSIGN_OR_RETURN(const Ticket now, Read(stage.connection, ticket.name()));
  POTOK_ASSIGN_OR_RETURN(
      const auto notice,
      ExpectNotice(stage, now.assignee(), notifier::v1::NOTICE_KIND_HALF_TERM, ticket.name()));
  stage.narrator.Tell(TimeOf(half.event_time()), ticket.number(),
                      absl::StrCat("половина срока: напоминание, ", NameOf(now.assignee()), ": «",
                                   notice.title(), "»"));
  return absl::OkStatus();
}

absl::Status TellTalk(Stage& stage, const Ticket& ticket) {
  stage.clock.Until(stage.At(1, "10:15"));
  const std::string from_desk = "Справка готова, ждём подпись директора, он будет после обеда.";
  POTOK_ASSIGN_OR_RETURN(
      Ticket now, Comment(stage.connection, ticket, Agent(IdOf(ticket.assignee())), from_desk));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat(SurnameOf(now.assignee()), " пишет: «", from_desk, "»"));
  stage.clock.Until(stage.At(1, "11:05"));
  const std::string from_requester = "Хорошо, подожду. Пришлите, пожалуйста, ещё и скан.";
  POTOK_ASSIGN_OR_RETURN(now, Read(stage.connection, ticket.name()));
  POTOK_ASSIGN_OR_RETURN(
      now, Comment(stage.connection, now, Requester(IdOf(now.requester())), from_requester));
  stage.narrator.Tell(
      TimeOf(now.update_time()), now.number(),
      absl::StrCat(SurnameOf(now.requester()), " отвечает: «", from_requester, "»"));
  return absl::OkStatus();
}

}  // namespace

absl::Status TellCertificate(Stage& stage, Background&) {
  stage.clock.Until(stage.At(0, "09:05"));
  POTOK_ASSIGN_OR_RETURN(const Ticket ticket, FileIt(stage));
  TicketWatch watch(stage.connection, ticket.name(), As{});
  POTOK_RETURN_IF_ERROR(TellHolder(stage, watch, ticket));
  POTOK_RETURN_IF_ERROR(TellReminder(stage, watch, ticket));
  stage.clock.Until(stage.At(1, "09:40"));
  POTOK_ASSIGN_OR_RETURN(Ticket now, Begun(stage, ticket.name()));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat(NameOf(now.assignee()), " начинает работу"));
  POTOK_RETURN_IF_ERROR(TellTalk(stage, now));

  stage.clock.Until(stage.At(1, "16:20"));
  POTOK_ASSIGN_OR_RETURN(now, Read(stage.connection, ticket.name()));
  const std::string result =
      "Справка подписана, оригинал отправлен почтой, скан во вложении к письму.";
  POTOK_ASSIGN_OR_RETURN(now, Resolve(stage.connection, now, IdOf(now.assignee()), result));
  stage.narrator.Tell(TimeOf(now.update_time()), now.number(),
                      absl::StrCat("результат: «", result, "»"));

  stage.clock.Until(stage.At(2, "09:30"));
  POTOK_ASSIGN_OR_RETURN(now, Confirm(stage.connection, now));
  stage.checks.Seen(Shown::kAccepted, now.number());
  const std::string praise = "Быстро и вежливо, банк принял с первого раза!";
  POTOK_ASSIGN_OR_RETURN(now, Rate(stage.connection, now, 5, praise));
  stage.narrator.Tell(
      TimeOf(now.update_time()), now.number(),
      absl::StrCat(NameOf(now.requester()), " принимает работу и ставит 5: «", praise, "»"),
      {now.overdue() ? "срок нарушен" : "выполнено в срок"});
  stage.checks.Seen(Shown::kRatedHigh, absl::StrCat(now.number(), ", «", praise, "»"));
  return absl::OkStatus();
}

}  // namespace potok::ctl
