// Sets the company up over gRPC, in the order in which one thing refers to another.
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "company.h"

namespace potok::ctl {
namespace {

using sla_timer::v1::EscalationStep;
using sla_timer::v1::SlaPolicy;
using sla_timer::v1::SlaTarget;
using sla_timer::v1::Term;

struct DepartmentPlan {
  const char* id;
  const char* ru;
  const char* en;
  const char* head;
};

constexpr DepartmentPlan kDepartments[] = {
    {"company", "Дирекция", "Management", "gromov"},
    {"hr", "Отдел кадров", "HR", "krylova"},
    {"it", "Отдел ИТ", "IT", "orlov"},
    {"accounting", "Бухгалтерия", "Accounting", "titova"},
    {"facilities", "АХО", "Facilities", "savelyeva"},
    {"production", "Производство", "Production", "volkov"},
    {"sales", "Отдел продаж", "Sales", "vlasova"},
    {"vladivostok", "Филиал во Владивостоке", "Vladivostok branch", "kim"},
};

std::string Key(absl::string_view what) {
  return RequestIdFor(absl::StrCat("story/company/", what));
}

template <class Stub, class Q, class A>
absl::Status Do(Connection& connection, Stub& stub,
                grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*),
                const Q& request) {
  return connection.Call(stub, method, request, As{}).status();
}

// Heads are employees and employees belong to departments: first without heads, then with them.
absl::Status UpsertDepartments(Connection& connection, bool with_heads) {
  intake::v1::BatchUpsertDepartmentsRequest request;
  for (const DepartmentPlan& plan : kDepartments) {
    auto* department = request.add_departments();
    department->set_name(absl::StrCat("departments/", plan.id));
    department->mutable_display_name()->set_ru(plan.ru);
    department->mutable_display_name()->set_en(plan.en);
    if (absl::string_view(plan.id) != "company")
      department->set_parent_department("departments/company");
    if (with_heads) department->set_head(absl::StrCat("employees/", plan.head));
  }
  request.set_request_id(Key(with_heads ? "heads" : "departments"));
  return Do(connection, *connection.directory,
            &intake::v1::DirectoryService::Stub::BatchUpsertDepartments, request);
}

absl::Status UpsertEmployees(Connection& connection) {
  intake::v1::BatchUpsertEmployeesRequest request;
  for (const Person& person : People()) {
    auto* employee = request.add_employees();
    employee->set_name(absl::StrCat("employees/", person.id));
    employee->set_display_name(person.name);
    employee->set_email(MailOf(person.id));
    employee->set_job_title(person.job);
    employee->set_department(absl::StrCat("departments/", person.department));
    if (person.manager[0] != '\0')
      employee->set_manager(absl::StrCat("employees/", person.manager));
    employee->set_time_zone(person.zone);
    employee->set_locale("ru");
  }
  request.set_request_id(Key("employees"));
  return Do(connection, *connection.directory,
            &intake::v1::DirectoryService::Stub::BatchUpsertEmployees, request);
}

absl::Status CreateCalendar(Connection& connection) {
  sla_timer::v1::CreateCalendarRequest request;
  request.set_calendar_id("ru-production");
  request.set_calendar_template("ru-production");
  request.mutable_calendar()->set_time_zone("Europe/Moscow");
  request.set_request_id(Key("calendar"));
  return Do(connection, *connection.calendars,
            &sla_timer::v1::CalendarService::Stub::CreateCalendar, request);
}

void Promise(SlaTarget* target, int priority, int amount, Term::Unit unit,
             int first_response_hours) {
  target->set_priority(priority);
  target->mutable_resolution()->set_amount(amount);
  target->mutable_resolution()->set_unit(unit);
  if (first_response_hours == 0) return;
  target->mutable_first_response()->set_amount(first_response_hours);
  target->mutable_first_response()->set_unit(Term::UNIT_WORKING_HOURS);
}

void Escalate(SlaPolicy* policy, int delay_hours, EscalationStep::Action action) {
  auto* step = policy->add_escalation_steps();
  step->mutable_delay()->set_seconds(delay_hours * 3600);
  step->set_action(action);
}

absl::Status CreatePolicy(Connection& connection, const std::string& id, SlaPolicy policy) {
  sla_timer::v1::CreateSlaPolicyRequest request;
  request.set_sla_policy_id(id);
  policy.set_calendar("calendars/ru-production");
  *request.mutable_sla_policy() = std::move(policy);
  request.set_request_id(Key(absl::StrCat("policy/", id)));
  return Do(connection, *connection.policies,
            &sla_timer::v1::SlaPolicyService::Stub::CreateSlaPolicy, request);
}

absl::Status CreatePolicies(Connection& connection) {
  SlaPolicy standard;
  standard.set_display_name("Два рабочих дня");
  Promise(standard.mutable_fallback_target(), 0, 2, Term::UNIT_WORKING_DAYS, 0);
  Escalate(&standard, 0, EscalationStep::ACTION_TELL_MANAGER);
  POTOK_RETURN_IF_ERROR(CreatePolicy(connection, "standard", standard));

  SlaPolicy it;
  it.set_display_name("ИТ: 4 часа срочным, 8 часов обычным");
  Promise(it.add_targets(), 1, 4, Term::UNIT_WORKING_HOURS, 1);
  Promise(it.add_targets(), 2, 4, Term::UNIT_WORKING_HOURS, 1);
  Promise(it.mutable_fallback_target(), 0, 8, Term::UNIT_WORKING_HOURS, 4);
  Escalate(&it, 0, EscalationStep::ACTION_TELL_MANAGER);
  Escalate(&it, 8, EscalationStep::ACTION_NEXT_LINE);
  POTOK_RETURN_IF_ERROR(CreatePolicy(connection, "it-terms", it));

  SlaPolicy accounting;
  accounting.set_display_name("Бухгалтерия: 3 рабочих дня, срочным 1");
  Promise(accounting.add_targets(), 1, 1, Term::UNIT_WORKING_DAYS, 0);
  Promise(accounting.add_targets(), 2, 1, Term::UNIT_WORKING_DAYS, 0);
  Promise(accounting.mutable_fallback_target(), 0, 3, Term::UNIT_WORKING_DAYS, 0);
  Escalate(&accounting, 0, EscalationStep::ACTION_TELL_MANAGER);
  return CreatePolicy(connection, "accounting", accounting);
}

absl::Status CreateFlow(Connection& connection, const DeskPlan& desk) {
  intake::v1::CreateFlowRequest request;
  request.set_flow_id(desk.flow);
  request.set_flow_template(absl::StrCat("flowTemplates/", desk.flow));
  intake::v1::Flow* flow = request.mutable_flow();
  flow->set_distribution_mode(desk.mode);
  flow->set_sla_policy(absl::StrCat("slaPolicies/", desk.policy));
  flow->set_manager(absl::StrCat("employees/", desk.manager));
  flow->add_admins(absl::StrCat("employees/", desk.manager));
  flow->set_line_count(desk.lines);
  flow->mutable_options()->set_working_hours_only(desk.working_hours_only);
  flow->mutable_options()->set_auto_close_working_days(desk.auto_close_days);
  request.set_request_id(Key(absl::StrCat("flow/", desk.flow)));
  return Do(connection, *connection.flows, &intake::v1::FlowService::Stub::CreateFlow, request);
}

absl::Status AddMembers(Connection& connection, const DeskPlan& desk) {
  router::v1::BatchUpsertMembersRequest request;
  request.set_parent(absl::StrCat("flows/", desk.flow));
  for (const DeskMember& plan : desk.members) {
    auto* member = request.add_members();
    member->set_employee(absl::StrCat("employees/", plan.employee));
    member->set_line(plan.line);
    member->set_calendar("calendars/ru-production");
    member->add_languages("ru");
  }
  request.set_request_id(Key(absl::StrCat("members/", desk.flow)));
  return Do(connection, *connection.team, &router::v1::TeamService::Stub::BatchUpsertMembers,
            request);
}

}  // namespace

absl::Status SetUpCompany(Connection& connection) {
  POTOK_RETURN_IF_ERROR(UpsertDepartments(connection, false));
  POTOK_RETURN_IF_ERROR(UpsertEmployees(connection));
  POTOK_RETURN_IF_ERROR(UpsertDepartments(connection, true));
  POTOK_RETURN_IF_ERROR(CreateCalendar(connection));
  POTOK_RETURN_IF_ERROR(CreatePolicies(connection));
  for (const DeskPlan& desk : Desks()) {
    POTOK_RETURN_IF_ERROR(CreateFlow(connection, desk));
    POTOK_RETURN_IF_ERROR(AddMembers(connection, desk));
  }
  return absl::OkStatus();
}

}  // namespace potok::ctl
