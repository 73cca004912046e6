#include "intake/domain/ticket_filing.h"

#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/access/visibility.h"

namespace potok::intake {
namespace {

using absl::StatusCode;

absl::Status MayNotFile(const desk::Flow& flow, const std::string& requester) {
  ErrorDetail detail;
  detail.metadata = {{"flow", absl::StrCat("flows/", flow.id)},
                     {"requester", absl::StrCat("employees/", requester)}};
  detail.ru =
      absl::StrCat("Сотрудник ", requester, " не может подавать заявки в поток «", flow.Name("ru"),
                   "». Кто может, задаёт администратор потока; доступные "
                   "потоки показывает ListFlows.");
  return MakeError(StatusCode::kPermissionDenied, "PERMISSION_DENIED",
                   absl::StrCat("employees/", requester, " may not file into flows/", flow.id,
                                "; the flow's admin sets who may, ListFlows shows the flows"),
                   std::move(detail));
}

absl::Status HasLeft(const std::string& requester) {
  return BadField(
      "ticket.requester",
      absl::StrCat("employees/", requester, " has left and cannot file; name an active employee"),
      absl::StrCat("сотрудник ", requester,
                   " уволен и не может подать заявку; укажите "
                   "действующего"));
}

absl::Status MayNotFileFor(const std::string& requester) {
  ErrorDetail detail;
  detail.metadata["requester"] = absl::StrCat("employees/", requester);
  detail.ru =
      absl::StrCat("Подать заявку за сотрудника ", requester,
                   " могут исполнители, администраторы и служебные учётные записи. Оставьте "
                   "ticket.requester пустым, чтобы подать свою.");
  return MakeError(StatusCode::kPermissionDenied, "PERMISSION_DENIED",
                   absl::StrCat("only agents, admins and services file on behalf of employees/",
                                requester, "; leave ticket.requester empty to file your own"),
                   std::move(detail));
}

// The form speaks of "fields.NAME"; the request has it at "ticket.fields.NAME".
absl::Status InRequest(const absl::Status& status) {
  if (status.ok()) return status;
  ErrorDetail detail = GetErrorDetail(status);
  for (FieldViolation& violation : detail.fields) violation.field = "ticket." + violation.field;
  const std::string reason = detail.reason;
  return MakeError(status.code(), reason, std::string(status.message()), std::move(detail));
}

absl::Status CheckWords(const Filing& filing) {
  std::vector<FieldViolation> bad;
  const auto collect = [&bad](const absl::Status& status) {
    for (FieldViolation& violation : GetErrorDetail(status).fields) bad.push_back(violation);
  };
  collect(CheckText("ticket.title", filing.title, true));
  if (filing.title.find_first_of("\r\n") != std::string::npos) {
    bad.push_back({"ticket.title", "must be one line; put the rest into ticket.description",
                   "должно быть в одну строку; остальное напишите в ticket.description"});
  }
  collect(CheckText("ticket.description", filing.description, false));
  collect(CheckText("ticket.needed_today_reason", filing.needed_today_reason, filing.needed_today));
  if (!filing.needed_today && !filing.needed_today_reason.empty()) {
    bad.push_back(
        {"ticket.needed_today_reason",
         "goes only with needed_today; set that too or leave this empty",
         "указывается только вместе с needed_today; отметьте его или оставьте поле пустым"});
  }
  return BadFields(std::move(bad));
}

// Nothing can have been uploaded yet by the time a ticket is filed with a made-up name.
absl::Status CheckFiles(const desk::Form& form, const desk::Answers& answers) {
  std::vector<FieldViolation> bad;
  for (const desk::FormField& field : form.fields) {
    if (field.type != desk::FormField::kFile || answers.count(field.name) == 0) continue;
    bad.push_back(
        {absl::StrCat("ticket.fields.", field.name),
         "names an attachment that does not exist; leave it out and describe the document",
         "называет вложение, которого нет; уберите его и опишите документ словами"});
  }
  return BadFields(std::move(bad));
}

}  // namespace

absl::Status CheckText(absl::string_view field, absl::string_view text, bool required) {
  const std::string path(field);
  if (required && absl::StripAsciiWhitespace(text).empty()) {
    return BadField(path, "must not be blank; write at least a word",
                    "не должно быть пустым; напишите хотя бы слово");
  }
  if (text.size() > kMaxTextBytes) {
    return BadField(path,
                    absl::StrCat("takes at most ", kMaxTextBytes, " bytes of UTF-8, this has ",
                                 text.size(), "; shorten it or split it over several comments"),
                    absl::StrCat("не более ", kMaxTextBytes, " байт UTF-8, здесь ", text.size(),
                                 "; сократите или разбейте на несколько комментариев"));
  }
  if (text.find('\0') != absl::string_view::npos) {
    return BadField(path, "contains the character U+0000, which cannot be stored; remove it",
                    "содержит символ U+0000, который нельзя сохранить; удалите его");
  }
  return absl::OkStatus();
}

absl::Status UnknownFlow(const std::string& flow_id) {
  ErrorDetail detail;
  detail.metadata = {{"flow", absl::StrCat("flows/", flow_id)}, {"see", "FlowService.ListFlows"}};
  detail.fields = {{"ticket.flow", "names no flow; FlowService.ListFlows shows those there are",
                    "такого потока нет; существующие показывает FlowService.ListFlows"}};
  detail.ru = absl::StrCat("Потока flows/", flow_id,
                           " нет. Существующие показывает FlowService.ListFlows.");
  return MakeError(
      StatusCode::kNotFound, "FLOW_NOT_FOUND",
      absl::StrCat("no flow flows/", flow_id, "; FlowService.ListFlows shows those there are"),
      std::move(detail));
}

absl::Status UnknownEmployee(const std::string& field, const std::string& employee) {
  ErrorDetail detail;
  detail.metadata = {{"employee", absl::StrCat("employees/", employee)},
                     {"see", "DirectoryService.ListEmployees"}};
  detail.fields = {{field,
                    "names no employee; DirectoryService.ListEmployees shows those there are",
                    "такого сотрудника нет; известных показывает DirectoryService.ListEmployees"}};
  detail.ru =
      absl::StrCat("Сотрудника employees/", employee,
                   " нет в справочнике. Известных показывает DirectoryService.ListEmployees.");
  return MakeError(StatusCode::kNotFound, "EMPLOYEE_NOT_FOUND",
                   absl::StrCat("no employee employees/", employee,
                                "; DirectoryService.ListEmployees shows those there are"),
                   std::move(detail));
}

absl::StatusOr<std::string> RequesterOf(const Filing& filing, const Caller& caller) {
  if (filing.requester.empty() && caller.employee.empty()) {
    return BadField("ticket.requester", "is required of a service, which is no employee itself",
                    "обязательно для служебных учётных записей: они не сотрудники");
  }
  if (filing.requester.empty() || filing.requester == caller.employee) return caller.employee;
  if (caller.Has("agent") || caller.Has("admin") || caller.Has("service")) return filing.requester;
  return MayNotFileFor(filing.requester);
}

absl::StatusOr<desk::TicketOrigin> AcceptFiling(const Filing& filing, const Caller& caller,
                                                const Requester& requester, const desk::Flow& flow,
                                                desk::Answers& answers) {
  if (!requester.known) return UnknownEmployee("ticket.requester", requester.id);
  if (!requester.active) return HasLeft(requester.id);
  if (!desk::MayFile(flow, requester.id, requester.department))
    return MayNotFile(flow, requester.id);
  POTOK_RETURN_IF_ERROR(CheckWords(filing));
  absl::StatusOr<desk::Answers> checked = desk::CheckAnswers(flow.form, filing.answers);
  if (!checked.ok()) return InRequest(checked.status());
  POTOK_RETURN_IF_ERROR(CheckFiles(flow.form, *checked));
  answers = *std::move(checked);

  desk::TicketOrigin draft;
  draft.flow_id = flow.id;
  draft.flow_version = flow.version;
  draft.caller = caller.principal;
  draft.requester = requester.id;
  draft.department = requester.department;
  draft.channel = filing.channel;
  draft.title = std::string(absl::StripAsciiWhitespace(filing.title));
  draft.description = filing.description;
  draft.urgency = filing.urgency;
  draft.impact = filing.impact;
  draft.needed_today = filing.needed_today;
  draft.needed_today_reason = filing.needed_today_reason;
  return draft;
}

std::vector<std::pair<std::string, std::string>> EmployeesNamed(const desk::Form& form,
                                                                const desk::Answers& answers) {
  constexpr absl::string_view kPrefix = "employees/";
  std::vector<std::pair<std::string, std::string>> named;
  for (const desk::FormField& field : form.fields) {
    if (field.type != desk::FormField::kEmployee) continue;
    const auto answer = answers.find(field.name);
    if (answer == answers.end()) continue;
    if (const auto* name = std::get_if<std::string>(&answer->second)) {
      named.emplace_back(absl::StrCat("ticket.fields.", field.name), name->substr(kPrefix.size()));
    }
  }
  return named;
}

}  // namespace potok::intake
