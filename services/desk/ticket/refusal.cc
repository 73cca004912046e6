#include "desk/ticket/refusal.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/error.h"

namespace potok::desk {
namespace {

using absl::StatusCode;

std::string NameOf(const Ticket& ticket) { return absl::StrCat("tickets/", ticket.id); }

std::string StatesFor(EventType type) {
  std::vector<absl::string_view> states;
  for (const State state : kAllStates) {
    if (MayHappen(type, state)) states.push_back(Name(state));
  }
  return absl::StrJoin(states, ", ");
}

}  // namespace

absl::Status Hidden() {
  ErrorDetail detail;
  detail.ru =
      "Такой заявки нет или она вам не видна. Её видят автор, исполнитель, команда и администратор "
      "потока, руководитель отдела.";
  return MakeError(
      StatusCode::kPermissionDenied, "TICKET_NOT_VISIBLE",
      "no such ticket, or it is not yours to see: its requester, holder, the flow's team and "
      "admin, and the department head see it",
      std::move(detail));
}

absl::Status Forbidden(absl::string_view what, absl::string_view who_may,
                       absl::string_view who_may_ru) {
  ErrorDetail detail;
  detail.metadata["allowed"] = std::string(who_may);
  detail.ru = absl::StrCat("Это действие вам недоступно. Кто может: ", who_may_ru, ".");
  return MakeError(StatusCode::kPermissionDenied, "NOT_YOURS",
                   absl::StrCat("you may not ", what, "; who may: ", who_may), std::move(detail));
}

absl::Status IllegalMove(const Ticket& ticket, EventType type) {
  ErrorDetail detail;
  const std::string allowed = StatesFor(type);
  detail.metadata = {{"state", std::string(Name(ticket.state))},
                     {"event", std::string(Name(type))},
                     {"allowed_states", allowed}};
  detail.preconditions = {
      {"STATE", NameOf(ticket),
       absl::StrCat("is ", Name(ticket.state), "; `", Name(type), "` is possible in: ", allowed)}};
  detail.ru = absl::StrCat("Заявка ", ticket.number, " в состоянии ", Name(ticket.state),
                           "; это действие возможно в состояниях: ", allowed, ".");
  return MakeError(StatusCode::kFailedPrecondition, "ILLEGAL_MOVE",
                   absl::StrCat("ticket ", ticket.number, " is ", Name(ticket.state), "; `",
                                Name(type), "` is possible in: ", allowed),
                   std::move(detail));
}

absl::Status EtagMismatch(const Ticket& ticket, int64_t expected) {
  ErrorDetail detail;
  detail.metadata = {{"expected_etag", absl::StrCat("\"", expected, "\"")},
                     {"current_etag", absl::StrCat("\"", ticket.version, "\"")},
                     {"state", std::string(Name(ticket.state))}};
  if (!ticket.assignee.empty()) detail.metadata["assignee"] = ticket.assignee;
  detail.ru = absl::StrCat("Заявка ", ticket.number, " изменилась: у вас версия ", expected,
                           ", сейчас ", ticket.version, ". Прочитайте её снова и повторите.");
  return MakeError(
      StatusCode::kAborted, "ETAG_MISMATCH",
      absl::StrCat("ticket ", ticket.number, " has changed: you hold etag \"", expected,
                   "\", it is \"", ticket.version, "\" now; read it again and repeat"),
      std::move(detail));
}

absl::Status AtCap(const Ticket& ticket, const std::string& agent, const AgentLoad& load) {
  ErrorDetail detail;
  detail.metadata = {{"agent", agent},
                     {"active", absl::StrCat(load.active)},
                     {"max_active", absl::StrCat(load.cap)}};
  detail.preconditions = {
      {"CAPACITY", absl::StrCat("employees/", agent),
       absl::StrCat("holds ", load.active, " of at most ", load.cap, " tickets")}};
  detail.ru = absl::StrCat("У исполнителя ", agent, " уже ", load.active, " из ", load.cap,
                           " активных заявок. Выберите другого или увеличьте предел.");
  return MakeError(StatusCode::kFailedPrecondition, "AGENT_AT_CAP",
                   absl::StrCat("agent ", agent, " holds ", load.active, " of at most ", load.cap,
                                " tickets of flow ", ticket.flow_id,
                                "; choose another agent or raise max_active"),
                   std::move(detail));
}

absl::Status NotEligible(const Ticket& ticket, const std::string& agent, absl::string_view why) {
  ErrorDetail detail;
  detail.metadata = {{"agent", agent}, {"why", std::string(why)}, {"flow", ticket.flow_id}};
  detail.ru =
      absl::StrCat("Исполнитель ", agent, " не может взять заявку ", ticket.number, ": ", why, ".");
  return MakeError(StatusCode::kFailedPrecondition, "NOT_ELIGIBLE",
                   absl::StrCat("agent ", agent, " cannot take ticket ", ticket.number, ": ", why,
                                "; choose an eligible member of flow ", ticket.flow_id),
                   std::move(detail));
}

absl::Status AlreadyRated(const Ticket& ticket) {
  ErrorDetail detail;
  detail.metadata["rating"] = absl::StrCat(ticket.rating.value_or(0));
  detail.ru = absl::StrCat("Заявка ", ticket.number,
                           " уже оценена. Новая оценка возможна после "
                           "повторного открытия и закрытия.");
  return MakeError(
      StatusCode::kFailedPrecondition, "ALREADY_RATED",
      absl::StrCat("ticket ", ticket.number,
                   " is already rated for this closure; a new rating is possible after it "
                   "is reopened and closed again"),
      std::move(detail));
}

absl::Status WindowOver(const Ticket& ticket, int days) {
  ErrorDetail detail;
  detail.metadata["reopen_days"] = absl::StrCat(days);
  detail.ru = absl::StrCat("Заявку ", ticket.number, " можно было открыть снова в течение ", days,
                           " дн. после закрытия. Подайте новую.");
  return MakeError(StatusCode::kFailedPrecondition, "REOPEN_WINDOW_OVER",
                   absl::StrCat("ticket ", ticket.number, " could be reopened for ", days,
                                " days after closing; file a new one"),
                   std::move(detail));
}

absl::Status NoTerm(const Ticket& ticket) {
  ErrorDetail detail;
  detail.ru =
      absl::StrCat("У заявки ", ticket.number, " нет срока: политика потока его не задаёт.");
  return MakeError(
      StatusCode::kFailedPrecondition, "NO_TERM",
      absl::StrCat("ticket ", ticket.number,
                   " has no deadline: the flow's policy sets no target for its priority"),
      std::move(detail));
}

absl::Status StaleTimer(const Ticket& ticket, absl::string_view kind) {
  return MakeError(
      StatusCode::kFailedPrecondition, "STALE_TIMER",
      absl::StrCat("timer ", kind, " of ticket ", ticket.number, " no longer applies"));
}

}  // namespace potok::desk
