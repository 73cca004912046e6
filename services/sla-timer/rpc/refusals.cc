#include "sla-timer/rpc/refusals.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "desk/ticket/refusal.h"
#include "platform/obs/log.h"

namespace potok::sla_timer {
namespace {

absl::Status Refuse(absl::StatusCode code, const char* reason, const std::string& en,
                    std::string ru, const std::string& resource) {
  ErrorDetail detail;
  detail.metadata["resource"] = resource;
  detail.ru = std::move(ru);
  return MakeError(code, reason, en, std::move(detail));
}

}  // namespace

absl::Status IdTaken(absl::string_view collection, const std::string& id) {
  const std::string name = absl::StrCat(collection, "/", id);
  return Refuse(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS",
                absl::StrCat(name, " exists already; choose another id"),
                absl::StrCat(name, " уже есть; выберите другой идентификатор"), name);
}

absl::Status NoSuchCalendar(const std::string& id) {
  const std::string name = absl::StrCat("calendars/", id);
  return Refuse(absl::StatusCode::kNotFound, "CALENDAR_NOT_FOUND",
                absl::StrCat("there is no ", name, "; ListCalendars names them all"),
                absl::StrCat("календаря ", name, " нет; все календари даёт ListCalendars"), name);
}

absl::Status NoSuchPolicy(const std::string& id) {
  const std::string name = absl::StrCat("slaPolicies/", id);
  return Refuse(absl::StatusCode::kNotFound, "NOT_FOUND",
                absl::StrCat("there is no ", name, "; ListSlaPolicies names them all"),
                absl::StrCat("политики ", name, " нет; все политики даёт ListSlaPolicies"), name);
}

absl::Status NoSuchFlow(const std::string& id) {
  const std::string name = absl::StrCat("flows/", id);
  return Refuse(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND",
                absl::StrCat("there is no ", name, "; ListFlows names them all"),
                absl::StrCat("потока ", name, " нет; все потоки даёт ListFlows"), name);
}

absl::Status NoSuchTicket(const desk::Viewer& viewer, const std::string& id) {
  if (!viewer.sees_all && !viewer.admin && !viewer.system) return desk::Hidden();
  const std::string name = absl::StrCat("tickets/", id);
  return Refuse(absl::StatusCode::kNotFound, "TICKET_NOT_FOUND",
                absl::StrCat("no ticket ", name, "; ListTickets finds the one you mean"),
                absl::StrCat("Заявки ", name, " нет. Найти нужную поможет ListTickets."), name);
}

absl::Status StaleEtag(const std::string& name, int version) {
  ErrorDetail detail;
  detail.metadata["resource"] = name;
  detail.metadata["version"] = absl::StrCat(version);
  detail.ru = absl::StrCat(name, " уже версии ", version, "; прочтите ещё раз и решите заново");
  return MakeError(
      absl::StatusCode::kAborted, "ETAG_MISMATCH",
      absl::StrCat(name, " is at version ", version, " by now; read it again and decide anew"),
      std::move(detail));
}

absl::Status Conflict(const std::string& name) {
  return Refuse(absl::StatusCode::kAborted, "CONFLICT",
                absl::StrCat(name, " was changed at the same moment; repeat the call"),
                absl::StrCat(name, " в этот же миг изменил кто-то другой; повторите вызов"), name);
}

absl::Status CalendarInUse(const std::string& policy_id, const std::string& calendar_id) {
  const std::string name = absl::StrCat("slaPolicies/", policy_id);
  return Refuse(
      absl::StatusCode::kFailedPrecondition, "STILL_IN_USE",
      absl::StrCat("flows promise by ", name, " and calendars/", calendar_id,
                   "; make a new policy with the other calendar and name it in the flow"),
      absl::StrCat("по ", name, " и calendars/", calendar_id,
                   " уже даны обещания; создайте новую политику с другим календарём и укажите её в "
                   "потоке"),
      name);
}

absl::Status CalendarExhausted(const std::string& calendar_id) {
  const std::string name = absl::StrCat("calendars/", calendar_id);
  return Refuse(
      absl::StatusCode::kFailedPrecondition, "CALENDAR_EXHAUSTED",
      absl::StrCat(name, " knows the years 2015 to 2045; the term does not fit into them"),
      absl::StrCat(name, " знает годы с 2015 по 2045; срок в них не помещается"), name);
}

absl::Status ReferenceNotReady(const std::string& flow_id) {
  const std::string name = absl::StrCat("flows/", flow_id);
  ErrorDetail detail;
  detail.metadata["resource"] = name;
  detail.retry_after = absl::Seconds(1);
  detail.ru = absl::StrCat("Поток ", name, " или его политика сроков ещё не прочитаны; повторите.");
  return MakeError(
      absl::StatusCode::kUnavailable, "STORAGE_UNAVAILABLE",
      absl::StrCat(name, ", its SLA policy or calendar is not readable yet; try again"),
      std::move(detail));
}

void CatchUp(ledger::Reference& reference) {
  if (const absl::Status status = reference.Refresh(); !status.ok()) {
    obs::LogWarn("reference.stale", "a change is stored but not yet seen here",
                 {{"error", status}});
  }
}

}  // namespace potok::sla_timer
