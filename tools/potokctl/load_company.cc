#include "load_company.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "load_calls.h"
#include "stage.h"

namespace potok::ctl {
namespace {

using api::v1::DistributionMode;
using sla_timer::v1::Term;

constexpr int kMostActive = 1000;  // What a flow may allow at most.

// "BEHA", "BEHB", ...: prefixes are letters.
std::string Prefix(const std::string& stem, int i) { return stem + static_cast<char>('A' + i); }

absl::Status FineIfExists(const absl::Status& status) {
  return absl::IsAlreadyExists(status) ? absl::OkStatus() : status;
}

template <class Stub, class Q, class A>
absl::Status Do(Connection& connection, Stub& stub,
                grpc::Status (Stub::*method)(grpc::ClientContext*, const Q&, A*), Q request) {
  request.set_request_id(NewRequestId());
  return FineIfExists(connection.Call(stub, method, request, As{}).status());
}

absl::Status AddEmployees(Connection& connection, const std::string& stem, int count) {
  constexpr int kAtOnce = 1000;
  for (int from = 0; from < count; from += kAtOnce) {
    intake::v1::BatchUpsertEmployeesRequest people;
    for (int i = from; i < std::min(count, from + kAtOnce); ++i) {
      intake::v1::Employee& employee = *people.add_employees();
      employee.set_name(absl::StrCat("employees/", stem, i));
      employee.set_display_name(absl::StrCat(stem, i));
    }
    POTOK_RETURN_IF_ERROR(Do(connection, *connection.directory,
                             &intake::v1::DirectoryService::Stub::BatchUpsertEmployees, people));
  }
  return absl::OkStatus();
}

absl::Status AddPolicy(Connection& connection, const std::string& id, int days) {
  sla_timer::v1::CreateSlaPolicyRequest policy;
  policy.set_sla_policy_id(id);
  policy.mutable_sla_policy()->set_display_name(id);
  policy.mutable_sla_policy()->set_calendar("calendars/around-the-clock");
  Term& term = *policy.mutable_sla_policy()->mutable_fallback_target()->mutable_resolution();
  term.set_amount(days);
  term.set_unit(Term::UNIT_WORKING_DAYS);
  return Do(connection, *connection.policies,
            &sla_timer::v1::SlaPolicyService::Stub::CreateSlaPolicy, policy);
}

absl::Status AddFlow(Connection& connection, const std::string& id, const std::string& prefix,
                     const std::string& policy, DistributionMode mode) {
  intake::v1::CreateFlowRequest request;
  request.set_flow_id(id);
  intake::v1::Flow& flow = *request.mutable_flow();
  flow.mutable_display_name()->set_en(id);
  flow.set_prefix(prefix);
  flow.set_sla_policy(absl::StrCat("slaPolicies/", policy));
  flow.set_distribution_mode(mode);
  flow.mutable_options()->set_requester_accepts(true);
  flow.mutable_options()->set_max_active(kMostActive);
  flow.mutable_options()->set_auto_close_working_days(60);
  flow.mutable_options()->set_working_hours_only(false);
  return Do(connection, *connection.flows, &intake::v1::FlowService::Stub::CreateFlow, request);
}

absl::Status AddTeam(Connection& connection, const std::string& flow, int agents) {
  router::v1::BatchUpsertMembersRequest request;
  request.set_parent(absl::StrCat("flows/", flow));
  for (int i = 0; i < agents; ++i) {
    request.add_members()->set_employee(absl::StrCat("employees/", flow, "-agent-", i));
  }
  return Do(connection, *connection.team, &router::v1::TeamService::Stub::BatchUpsertMembers,
            request);
}

absl::Status BeOnline(Connection& connection, const std::string& employee) {
  router::v1::SetPresenceRequest presence;
  presence.set_name(absl::StrCat("employees/", employee, "/presence"));
  presence.set_status(router::v1::Presence::STATUS_ONLINE);
  return Do(connection, *connection.team, &router::v1::TeamService::Stub::SetPresence, presence);
}

// One ticket, as far as `age` says: 0 queued, 1 assigned, 2 in progress, 3 resolved, 4 closed, 5
// rated.
absl::Status Grow(Connection& connection, int age) {
  static const char* const kTitles[] = {"queued",   "assigned", "in progress",
                                        "resolved", "closed",   "rated"};
  const std::string agent = "behind-0-agent-0", requester = LoadEmployee(0, 1);
  intake::v1::CreateTicketRequest create;
  create.mutable_ticket()->set_flow("flows/behind-0");
  create.mutable_ticket()->set_title(absl::StrCat("Template: ", kTitles[age]));
  create.mutable_ticket()->set_description(
      "The printer on the second floor does not print, and the report is due.");
  create.set_request_id(NewRequestId());
  POTOK_ASSIGN_OR_RETURN(
      Ticket ticket,
      connection.Call(*connection.intake, &intake::v1::IntakeService::Stub::CreateTicket, create,
                      Requester(requester)));
  if (age == 0) return absl::OkStatus();
  router::v1::AssignTicketRequest assign;
  assign.set_name(ticket.name());
  assign.set_agent(absl::StrCat("employees/", agent));
  POTOK_RETURN_IF_ERROR(
      Do(connection, *connection.router, &router::v1::RouterService::Stub::AssignTicket, assign));
  if (age == 1) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(ticket, Read(connection, ticket.name()));
  POTOK_ASSIGN_OR_RETURN(ticket, Start(connection, ticket, agent));
  if (age == 2) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(ticket, Resolve(connection, ticket, agent, "Toner was replaced."));
  if (age == 3) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(ticket, Confirm(connection, ticket));
  if (age == 4) return absl::OkStatus();
  return Rate(connection, ticket, 5, "").status();
}

}  // namespace

absl::Status SetUpFiling(Connection& connection, int requesters) {
  POTOK_RETURN_IF_ERROR(AddEmployees(connection, "load-", requesters));
  sla_timer::v1::CreateCalendarRequest calendar;
  calendar.set_calendar_id("around-the-clock");
  calendar.set_calendar_template("around-the-clock");
  POTOK_RETURN_IF_ERROR(Do(connection, *connection.calendars,
                           &sla_timer::v1::CalendarService::Stub::CreateCalendar, calendar));
  POTOK_RETURN_IF_ERROR(AddPolicy(connection, "load", 2));
  return AddFlow(connection, "load", "LOAD", "load", api::v1::DISTRIBUTION_MODE_MANUAL);
}

absl::Status SetUpLoadCompany(Connection& connection, const LoadCompany& company) {
  POTOK_RETURN_IF_ERROR(SetUpFiling(connection, company.requesters));
  POTOK_RETURN_IF_ERROR(AddPolicy(connection, "behind", 200));
  for (int desk = 0; desk < company.desks; ++desk) {
    const std::string flow = absl::StrCat("turn-", desk);
    POTOK_RETURN_IF_ERROR(AddEmployees(connection, absl::StrCat(flow, "-agent-"), company.agents));
    POTOK_RETURN_IF_ERROR(AddFlow(connection, flow, Prefix("TURN", desk), "load",
                                  api::v1::DISTRIBUTION_MODE_ROUND_ROBIN));
    POTOK_RETURN_IF_ERROR(AddTeam(connection, flow, company.agents));
    for (int i = 0; i < company.agents; ++i) {
      POTOK_RETURN_IF_ERROR(BeOnline(connection, absl::StrCat(flow, "-agent-", i)));
    }
  }
  for (int desk = 0; desk < company.behind; ++desk) {
    const std::string flow = absl::StrCat("behind-", desk);
    POTOK_RETURN_IF_ERROR(
        AddEmployees(connection, absl::StrCat(flow, "-agent-"), company.behind_agents));
    POTOK_RETURN_IF_ERROR(AddFlow(connection, flow, Prefix("BEH", desk), "behind",
                                  api::v1::DISTRIBUTION_MODE_MANUAL));
    POTOK_RETURN_IF_ERROR(AddTeam(connection, flow, company.behind_agents));
  }
  POTOK_RETURN_IF_ERROR(BeOnline(connection, "behind-0-agent-0"));
  for (int age = 0; age < 6; ++age) POTOK_RETURN_IF_ERROR(Grow(connection, age));
  return absl::OkStatus();
}

}  // namespace potok::ctl
