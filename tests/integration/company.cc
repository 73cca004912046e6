#include "integration/company.h"

#include "absl/strings/str_cat.h"

#include "desk/calendar/ready_calendars.h"
#include "desk/flow/flow.h"
#include "desk/sla/policy.h"
#include "ledger/definition_codec.h"

namespace potok::testing {
namespace {

std::string Quoted(const std::string& text) { return absl::StrCat("$q$", text, "$q$"); }

void AddCalendar(TestDatabase& database, const desk::CalendarDefinition& calendar) {
  database.Query(absl::StrCat("INSERT INTO sla_timer.calendar_version VALUES ('", calendar.id,
                              "', 1, ", Quoted(ledger::ToJson(calendar)), ", 'test', now())"));
}

void AddPolicy(TestDatabase& database, const std::string& id, const std::string& calendar,
               desk::Target resolution) {
  desk::SlaPolicy policy;
  policy.id = id;
  policy.name = id;
  policy.calendar_id = calendar;
  policy.fallback.first_response = desk::Target{desk::Target::kWorkingHours, 2};
  policy.fallback.resolution = resolution;
  policy.steps = {{.level = 1,
                   .after_breach = absl::ZeroDuration(),
                   .action = desk::EscalationStep::kTellManager}};
  database.Query(absl::StrCat("INSERT INTO sla_timer.policy_version VALUES ('", id, "', 1, ",
                              Quoted(ledger::ToJson(policy)), ", 'test', now())"));
}

void PublishFlow(TestDatabase& database, const desk::Flow& flow) {
  database.Query(absl::StrCat("INSERT INTO intake.flow_version VALUES ('", flow.id, "', 1, ",
                              Quoted(ledger::ToJson(flow)), ", 'test', now())"));
  database.Query(absl::StrCat("INSERT INTO intake.flow VALUES ('", flow.id, "', 1, '", flow.prefix,
                              "', now())"));
}

void AddEmployee(TestDatabase& database, const std::string& id, const std::string& name,
                 const std::string& department, bool active = true) {
  database.Query(absl::StrCat(
      "INSERT INTO intake.employee (id, name, email, department, active, updated_at) VALUES ('", id,
      "', '", name, "', '", id, "@example.org', '", department, "', ", active ? "true" : "false",
      ", now()) ON CONFLICT DO NOTHING"));
}

void AddDepartment(TestDatabase& database, const std::string& id, const std::string& head) {
  database.Query(
      absl::StrCat("INSERT INTO intake.department (id, name_ru, head, updated_at) VALUES ('", id,
                   "', '", id, "', '", head, "', now())"));
}

desk::Flow Flow(const std::string& id, const std::string& prefix, const std::string& name,
                const std::string& policy) {
  desk::Flow flow;
  flow.id = id;
  flow.prefix = prefix;
  flow.name_ru = name;
  flow.name_en = id;
  flow.sla_policy = policy;
  return flow;
}

desk::Flow Certificates() {
  desk::Flow flow = Flow("hr-certificates", "HR", "Справки", "standard");
  flow.admins = {"kuzmina"};
  flow.manager = "kuzmina";
  desk::FormField kind{.name = "kind",
                       .type = desk::FormField::kEnum,
                       .label_ru = "Вид справки",
                       .label_en = "Kind",
                       .help_ru = "",
                       .help_en = "",
                       .required = true};
  kind.options = {{"2ndfl", "2-НДФЛ", "2-NDFL"}, {"work", "С места работы", "Employment"}};
  desk::FormField period{.name = "period",
                         .type = desk::FormField::kDateRange,
                         .label_ru = "Период",
                         .label_en = "Period"};
  desk::FormField copies{.name = "copies",
                         .type = desk::FormField::kNumber,
                         .label_ru = "Экземпляров",
                         .label_en = "Copies"};
  copies.min = 1;
  copies.max = 5;
  desk::FormField for_whom{.name = "for_whom",
                           .type = desk::FormField::kEmployee,
                           .label_ru = "На кого",
                           .label_en = "For whom"};
  flow.form.fields = {kind, period, copies, for_whom};
  return flow;
}

}  // namespace

void AddAgent(TestDatabase& database, const std::string& employee, const std::string& flow,
              int line, int cap) {
  AddEmployee(database, employee, employee, "it");
  database.Query(
      absl::StrCat("INSERT INTO router.member (flow_id, employee, line, max_active) VALUES ('",
                   flow, "', '", employee, "', ", line, ", ", cap, ")"));
  database.Query(
      absl::StrCat("INSERT INTO ledger.agent_load (agent_id, flow_id, active, cap) VALUES ('",
                   employee, "', '", flow, "', 0, ", cap, ")"));
}

void AddFlow(TestDatabase& database, const std::string& id, const std::string& prefix, int agents,
             int cap) {
  desk::Flow flow = Flow(id, prefix, id, "always-4h");
  flow.options.requester_accepts = false;
  flow.options.max_active = cap;
  flow.admins = {"belov"};
  flow.manager = "belov";
  PublishFlow(database, flow);
  for (int i = 0; i < agents; ++i) AddAgent(database, absl::StrCat(id, "-", i), id, 1, cap);
}

void FoundCompany(TestDatabase& database) {
  AddCalendar(database, desk::RussianProductionCalendar("ru", "Europe/Moscow"));
  AddCalendar(database, desk::AroundTheClock("always", "UTC"));
  AddPolicy(database, "standard", "ru", {desk::Target::kWorkingDays, 2});
  AddPolicy(database, "always-4h", "always", {desk::Target::kWorkingHours, 4});

  AddEmployee(database, "ivanova", "Анна Иванова", "sales");
  AddEmployee(database, "petrov", "Пётр Петров", "sales");
  AddEmployee(database, "zaitsev", "Глеб Зайцев", "sales");
  AddEmployee(database, "volkov", "Игорь Волков", "hr");
  AddEmployee(database, "belov", "Олег Белов", "it");
  AddEmployee(database, "kuzmina", "Вера Кузьмина", "hr");
  AddEmployee(database, "lisina", "Юлия Лисина", "sales", false);
  AddDepartment(database, "sales", "zaitsev");
  AddDepartment(database, "it", "belov");
  AddDepartment(database, "hr", "kuzmina");

  desk::Flow support = Flow("it-support", "IT", "Техподдержка", "standard");
  support.options.agent_may_extend = true;
  support.admins = {"belov"};
  support.manager = "belov";
  support.lines = 2;
  PublishFlow(database, support);
  PublishFlow(database, Certificates());
  desk::Flow internal = Flow("it-internal", "OPS", "Внутренние работы", "standard");
  internal.who_may_file = {.all = false, .departments = {"it"}, .employees = {}};
  internal.admins = {"belov"};
  PublishFlow(database, internal);
  AddFlow(database, "quick", "QQ", 0, 3);

  AddAgent(database, "sidorov", "it-support", 1, 3);
  AddAgent(database, "orlova", "it-support", 1, 3);
  AddAgent(database, "gusev", "it-support", 2, 3);
  AddAgent(database, "kuzmina", "hr-certificates", 1, 3);
  AddAgent(database, "sidorov", "quick", 1, 3);
}

}  // namespace potok::testing
