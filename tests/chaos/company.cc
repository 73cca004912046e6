#include "chaos/company.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "chaos/die.h"

namespace potok::chaos {
namespace {

using sla_timer::v1::EscalationStep;
using sla_timer::v1::SlaPolicy;
using sla_timer::v1::Term;

std::vector<std::string> Names(const std::string& stem, int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat(stem, "-", i));
  return names;
}

std::string EmployeeName(const std::string& id) { return "employees/" + id; }

class SetUp {
 public:
  SetUp(Caller& caller, uint64_t seed) : caller_(caller), choices_(seed, "company") {}

  void People() {
    intake::v1::BatchUpsertDepartmentsRequest departments;
    intake::v1::Department& department = *departments.add_departments();
    department.set_name("departments/works");
    department.mutable_display_name()->set_en("Works");
    Do(&Stubs::directory, &intake::v1::DirectoryService::Stub::BatchUpsertDepartments, departments);
    intake::v1::BatchUpsertEmployeesRequest people;
    const auto add = [&people](const std::string& id, bool mail) {
      intake::v1::Employee& employee = *people.add_employees();
      employee.set_name(EmployeeName(id));
      employee.set_display_name(id);
      employee.set_department("departments/works");
      if (mail) employee.set_email(id + "@example.test");
    };
    add(kHead, true);
    for (int i = 0; i < kRequesters; ++i) add(RequesterName(i), i % 8 == 0);
    for (const Desk& desk : Desks()) {
      for (const std::string& agent : desk.agents) add(agent, agent == desk.agents.front());
      for (const std::string& agent : desk.second_line) add(agent, false);
    }
    Do(&Stubs::directory, &intake::v1::DirectoryService::Stub::BatchUpsertEmployees, people);
  }

  void Promises() {
    sla_timer::v1::CreateCalendarRequest calendar;
    calendar.set_calendar_id("always");
    calendar.set_calendar_template("around-the-clock");
    Do(&Stubs::calendars, &sla_timer::v1::CalendarService::Stub::CreateCalendar, calendar);
    // At 3600 business seconds a second: half term after 2 s, broken after 4 s, the second line a
    // second later. What is calm never fires in a run, so that a run comes to rest soon after its
    // load ends.
    Policy("swift", 2, 4, true);
    Policy("calm", 0, 1000, false);
  }

  void Open(const Desk& desk) {
    intake::v1::CreateFlowRequest request;
    request.set_flow_id(desk.flow);
    intake::v1::Flow& flow = *request.mutable_flow();
    flow.mutable_display_name()->set_en(desk.flow);
    flow.set_prefix(desk.prefix);
    flow.set_distribution_mode(desk.mode);
    flow.set_sla_policy("slaPolicies/" + desk.policy);
    flow.set_manager(EmployeeName(kHead));
    flow.add_admins(EmployeeName(kHead));
    flow.set_line_count(desk.second_line.empty() ? 1 : 2);
    flow.mutable_options()->set_max_active(desk.cap);
    flow.mutable_options()->set_requester_accepts(desk.accepts);
    flow.mutable_options()->set_working_hours_only(false);
    flow.mutable_options()->set_auto_close_working_days(1);
    flow.mutable_options()->set_reopen_days(30);
    Do(&Stubs::flows, &intake::v1::FlowService::Stub::CreateFlow, request);

    router::v1::BatchUpsertMembersRequest members;
    members.set_parent("flows/" + desk.flow);
    const auto add = [&](const std::string& agent, int line) {
      router::v1::Member& member = *members.add_members();
      member.set_employee(EmployeeName(agent));
      member.set_line(line);
      member.set_max_active(desk.cap);
    };
    for (const std::string& agent : desk.agents) add(agent, 1);
    for (const std::string& agent : desk.second_line) add(agent, 2);
    Do(&Stubs::team, &router::v1::TeamService::Stub::BatchUpsertMembers, members);
    for (const auto* team : {&desk.agents, &desk.second_line}) {
      for (const std::string& agent : *team) {
        router::v1::SetPresenceRequest presence;
        presence.set_name(absl::StrCat(EmployeeName(agent), "/presence"));
        presence.set_status(router::v1::Presence::STATUS_ONLINE);
        Do(&Stubs::team, &router::v1::TeamService::Stub::SetPresence, presence);
      }
    }
  }

 private:
  void Policy(const std::string& id, int first_response, int hours, bool next_line) {
    sla_timer::v1::CreateSlaPolicyRequest request;
    request.set_sla_policy_id(id);
    SlaPolicy& policy = *request.mutable_sla_policy();
    policy.set_display_name(id);
    policy.set_calendar("calendars/always");
    const auto set = [](Term* term, int amount) {
      term->set_amount(amount);
      term->set_unit(Term::UNIT_WORKING_HOURS);
    };
    set(policy.mutable_fallback_target()->mutable_resolution(), hours);
    if (first_response > 0) {
      set(policy.mutable_fallback_target()->mutable_first_response(), first_response);
    }
    policy.add_escalation_steps()->set_action(EscalationStep::ACTION_TELL_MANAGER);
    if (next_line) {
      EscalationStep& step = *policy.add_escalation_steps();
      step.mutable_delay()->set_seconds(3600);
      step.set_action(EscalationStep::ACTION_NEXT_LINE);
    }
    Do(&Stubs::policies, &sla_timer::v1::SlaPolicyService::Stub::CreateSlaPolicy, request);
  }

  template <class Stub, class Q, class A>
  void Do(std::unique_ptr<Stub> Stubs::*stub,
          grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*), Q request) {
    A answer;
    request.set_request_id(choices_.Uuid());
    const Told told = caller_.Call(stub, method, request, As{}, &answer);
    if (!told.ok()) {
      Die(absl::StrCat("the company cannot be set up: ", Q::descriptor()->name(), ": ",
                       told.status.error_message()));
    }
  }

  Caller& caller_;
  Choices choices_;
};

}  // namespace

const std::vector<Desk>& Desks() {
  using namespace api::v1;  // NOLINT: the names of the modes, in a table.
  static const auto* const desks = new std::vector<Desk>{
      {"ring",
       "RR",
       DISTRIBUTION_MODE_ROUND_ROBIN,
       "swift",
       Names("ring", 6),
       {"ring-up"},
       10,
       true,
       0.40},
      {"scale",
       "LL",
       DISTRIBUTION_MODE_LEAST_LOADED,
       "calm",
       Names("scale", 4),
       {},
       10,
       true,
       0.20},
      {"pick", "SP", DISTRIBUTION_MODE_SELF_PICK, "calm", Names("pick", 4), {}, 20, false, 0.15},
      {"hand", "MA", DISTRIBUTION_MODE_MANUAL, "swift", Names("hand", 2), {}, 20, false, 0.05},
      {"express",
       "EX",
       DISTRIBUTION_MODE_ROUND_ROBIN,
       "calm",
       Names("express", 4),
       {},
       1000,
       true,
       0.20},
  };
  return *desks;
}

const Desk& DeskOf(const std::string& flow) {
  return *std::find_if(Desks().begin(), Desks().end(),
                       [&](const Desk& desk) { return desk.flow == flow; });
}

std::string RequesterName(int i) { return absl::StrCat("asks-", i); }

void SetUpCompany(Caller& caller, uint64_t seed) {
  SetUp set_up(caller, seed);
  set_up.People();
  set_up.Promises();
  for (const Desk& desk : Desks()) set_up.Open(desk);
}

}  // namespace potok::chaos
