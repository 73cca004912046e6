#include "replay_setup.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"

#include "replay_parallel.h"

namespace potok::ctl {
namespace {

constexpr size_t kPeopleAtOnce = 1000;
constexpr int kCallers = 8;
// Hours of a working week and of a week: a term around the clock becomes about as long a term in
// working time.
constexpr double kWorkingShare = 40.0 / 168.0;

// The content is a part of the id: another content is another request, the same content the same
// one.
template <class Q>
void Identify(Q* request, absl::string_view name) {
  request->set_request_id(
      RequestIdFor(absl::StrCat("replay/", name, "/", request->SerializeAsString())));
}

absl::Status FineIfExists(const absl::Status& status) {
  return absl::IsAlreadyExists(status) ? absl::OkStatus() : status;
}

std::string PolicyId(const Cast& cast, const ReplayOptions& options) {
  std::string terms = options.calendar;
  for (const CastTerm& term : cast.terms) absl::StrAppend(&terms, "/", term.hours);
  return absl::StrCat("recorded-log-", RequestIdFor(terms).substr(0, 8));
}

absl::Status MakePromise(Connection& connection, const Cast& cast, const ReplayOptions& options) {
  const bool working = options.calendar == "ru-production";
  const std::string calendar_id = options.calendar.empty() ? "around-the-clock" : options.calendar;
  if (options.calendar.empty() || working) {
    sla_timer::v1::CreateCalendarRequest request;
    request.set_calendar_id(calendar_id);
    request.set_calendar_template(calendar_id);
    Identify(&request, "calendar");
    const absl::Status made =
        connection
            .Call(*connection.calendars, &sla_timer::v1::CalendarService::Stub::CreateCalendar,
                  request, As{})
            .status();
    if (!FineIfExists(made).ok()) return made;
  }
  sla_timer::v1::CreateSlaPolicyRequest request;
  request.set_sla_policy_id(PolicyId(cast, options));
  sla_timer::v1::SlaPolicy& policy = *request.mutable_sla_policy();
  policy.set_display_name("Terms that explain a recorded log");
  policy.set_calendar(absl::StrCat("calendars/", calendar_id));
  for (const CastTerm& term : cast.terms) {
    sla_timer::v1::SlaTarget& target = *policy.add_targets();
    target.set_priority(term.priority);
    target.mutable_resolution()->set_amount(
        working ? std::max(1, static_cast<int>(term.hours * kWorkingShare)) : term.hours);
    target.mutable_resolution()->set_unit(sla_timer::v1::Term::UNIT_WORKING_HOURS);
  }
  sla_timer::v1::EscalationStep& step = *policy.add_escalation_steps();
  step.mutable_delay()->set_seconds(0);
  step.set_action(sla_timer::v1::EscalationStep::ACTION_TELL_MANAGER);
  Identify(&request, "policy");
  return FineIfExists(connection
                          .Call(*connection.policies,
                                &sla_timer::v1::SlaPolicyService::Stub::CreateSlaPolicy, request,
                                As{})
                          .status());
}

absl::Status HirePeople(Connection& connection, const Cast& cast) {
  std::vector<CastPerson> people = cast.people;
  people.push_back({kDeskHead, "Head of the desk"});
  for (size_t from = 0; from < people.size(); from += kPeopleAtOnce) {
    intake::v1::BatchUpsertEmployeesRequest request;
    for (size_t i = from; i < std::min(people.size(), from + kPeopleAtOnce); ++i) {
      intake::v1::Employee& employee = *request.add_employees();
      employee.set_name(absl::StrCat("employees/", people[i].id));
      employee.set_display_name(people[i].name.substr(0, 200));
      employee.set_email(absl::StrCat(people[i].id, "@example.test"));
      employee.set_locale("en");
    }
    Identify(&request, "people");
    const absl::Status hired =
        connection
            .Call(*connection.directory, &intake::v1::DirectoryService::Stub::BatchUpsertEmployees,
                  request, As{})
            .status();
    if (!hired.ok()) return hired;
  }
  return absl::OkStatus();
}

absl::Status OpenFlow(Connection& connection, const Cast& cast, const CastFlow& flow,
                      const ReplayOptions& options) {
  intake::v1::CreateFlowRequest request;
  request.set_flow_id(flow.id);
  intake::v1::Flow& made = *request.mutable_flow();
  made.mutable_display_name()->set_en(flow.group);
  made.mutable_display_name()->set_ru(flow.group);
  made.set_prefix(flow.prefix);
  made.set_sla_policy(absl::StrCat("slaPolicies/", PolicyId(cast, options)));
  made.set_distribution_mode(options.mode == "round-robin"
                                 ? api::v1::DISTRIBUTION_MODE_ROUND_ROBIN
                                 : api::v1::DISTRIBUTION_MODE_LEAST_LOADED);
  made.add_admins(absl::StrCat("employees/", kDeskHead));
  made.set_manager(absl::StrCat("employees/", kDeskHead));
  made.mutable_options()->set_auto_close_working_days(cast.auto_close_days);
  made.mutable_options()->set_reopen_days(365);
  Identify(&request, "flow");
  const absl::Status opened = FineIfExists(
      connection.Call(*connection.flows, &intake::v1::FlowService::Stub::CreateFlow, request, As{})
          .status());
  if (!opened.ok()) return opened;
  router::v1::BatchUpsertMembersRequest members;
  members.set_parent(absl::StrCat("flows/", flow.id));
  for (const CastMember& member : flow.members) {
    router::v1::Member& one = *members.add_members();
    one.set_employee(absl::StrCat("employees/", member.agent));
    one.set_max_active(member.max_active);
  }
  Identify(&members, "members");
  return connection
      .Call(*connection.team, &router::v1::TeamService::Stub::BatchUpsertMembers, members, As{})
      .status();
}

absl::Status ComeOnline(Connection& connection, const std::string& agent) {
  router::v1::SetPresenceRequest request;
  request.set_name(absl::StrCat("employees/", agent, "/presence"));
  request.set_status(router::v1::Presence::STATUS_ONLINE);
  Identify(&request, "presence");
  return connection
      .Call(*connection.team, &router::v1::TeamService::Stub::SetPresence, request, As{})
      .status();
}

}  // namespace

absl::Status SetUpCast(Connection& connection, const Cast& cast, const ReplayOptions& options) {
  if (absl::Status made = MakePromise(connection, cast, options); !made.ok()) return made;
  if (absl::Status hired = HirePeople(connection, cast); !hired.ok()) return hired;
  absl::Status opened = InParallel(cast.flows.size(), kCallers, [&](size_t i) {
    return OpenFlow(connection, cast, cast.flows[i], options);
  });
  if (!opened.ok()) return opened;
  std::vector<std::string> agents;
  for (const CastFlow& flow : cast.flows) {
    for (const CastMember& member : flow.members) agents.push_back(member.agent);
  }
  std::sort(agents.begin(), agents.end());
  agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
  return InParallel(agents.size(), kCallers,
                    [&](size_t i) { return ComeOnline(connection, agents[i]); });
}

}  // namespace potok::ctl
