#include "fuzz/request_conversion.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "desk/filter/filter.h"
#include "desk/flow/flow.h"
#include "fuzz/target.h"
#include "intake/domain/directory_rules.h"
#include "intake/domain/flow_templates.h"
#include "intake/domain/list_fields.h"
#include "intake/domain/ticket_content_hash.h"
#include "intake/domain/ticket_filing.h"
#include "intake/rpc/convert_directory.h"
#include "intake/rpc/convert_flow.h"
#include "intake/rpc/convert_ticket.h"
#include "intake/rpc/intake_rpc.h"
#include "intake/rpc/patch_flow.h"
#include "ledger/definition_codec.h"
#include "notifier/domain/delivery_fields.h"
#include "potok/notifier/v1/notifier.pb.h"
#include "potok/router/v1/team.pb.h"
#include "router/rpc/wire.h"
#include "sla-timer/rpc/convert_calendar.h"
#include "sla-timer/rpc/convert_policy.h"
#include "sla-timer/rpc/wire.h"

namespace potok::fuzz {
namespace {

namespace in = potok::intake::v1;
namespace sla = potok::sla_timer::v1;

constexpr absl::Time kNow = absl::FromUnixSeconds(1774900000);

// A flow whose form asks for everything a form can ask for.
const desk::Flow& SampleFlow() {
  static const auto& flow = *new desk::Flow([] {
    desk::Flow flow = intake::FindFlowTemplate("hr-certificates")->flow;
    flow.id = "certificates";
    for (const intake::FlowTemplate& each : intake::FlowTemplates()) {
      for (desk::FormField field : each.flow.form.fields) {
        if (each.id == "hr-certificates") continue;
        field.name = absl::StrCat("f", flow.form.fields.size());
        field.required = false;
        field.shown_if.reset();
        if (flow.form.fields.size() < desk::kMaxFormFields) flow.form.fields.push_back(field);
      }
    }
    return flow;
  }());
  return flow;
}

absl::Status Create(const in::CreateTicketRequest& request) {
  POTOK_ASSIGN_OR_RETURN(const intake::Filing filing, intake::FilingFromWire(request.ticket()));
  Caller caller;
  caller.principal = "users/petrov";
  caller.employee = "petrov";
  caller.roles = {"agent"};
  POTOK_ASSIGN_OR_RETURN(const std::string requester, intake::RequesterOf(filing, caller));
  desk::Answers answers;
  POTOK_ASSIGN_OR_RETURN(
      const desk::TicketOrigin draft,
      intake::AcceptFiling(filing, caller, {requester, "hr", true, true}, SampleFlow(), answers));
  FUZZ_CHECK(draft.title.size() <= intake::kMaxTextBytes && !draft.title.empty(), draft.title);
  const auto again = ledger::AnswersFromJson(ledger::ToJson(answers));
  FUZZ_CHECK(again.ok() && *again == answers, ledger::ToJson(answers));
  for (const auto& [field, employee] : intake::EmployeesNamed(SampleFlow().form, answers)) {
    FUZZ_CHECK(!employee.empty(), field);
  }
  return absl::OkStatus();
}

absl::Status Extend(const in::ExtendDeadlineRequest& request) {
  POTOK_RETURN_IF_ERROR(intake::TicketIdOf("name", request.name()).status());
  POTOK_RETURN_IF_ERROR(intake::CheckText("reason", request.reason(), true));
  return intake::TimeFromWire("due_time", request.due_time()).status();
}

absl::Status List(const in::ListTicketsRequest& request) {
  POTOK_RETURN_IF_ERROR(intake::ParseTicketOrder(request.order_by()).status());
  return intake::ParseTicketFilter(request.filter(), "petrov").status();
}

// What was published is shown and published again as it is.
absl::Status Published(const desk::Flow& flow) {
  POTOK_RETURN_IF_ERROR(intake::PublishableFlow(flow));
  const std::string stored = ledger::ToJson(flow);
  const auto read = ledger::FlowFromJson(stored);
  FUZZ_CHECK(read.ok() && ledger::ToJson(*read) == stored, stored);
  desk::Flow again = intake::FlowFromWire(intake::ToWire(flow), flow.id);
  again.version = flow.version;
  FUZZ_CHECK(ledger::ToJson(again) == stored, stored);
  return absl::OkStatus();
}

absl::Status CreateFlow(const in::CreateFlowRequest& request) {
  in::Flow wire;
  if (!request.flow_template().empty()) {
    const intake::FlowTemplate* found =
        intake::FindFlowTemplate(intake::IdOf("flowTemplates", request.flow_template()));
    if (found != nullptr) wire = intake::ToWire(found->flow);
  }
  wire = intake::WithSetFields(std::move(wire), request.flow());
  if (!request.flow().prefix().empty()) wire.set_prefix(request.flow().prefix());
  return Published(intake::FlowFromWire(wire, request.flow_id()));
}

absl::Status UpdateFlow(const in::UpdateFlowRequest& request) {
  desk::Flow stored = SampleFlow();
  stored.sla_policy = "standard";
  stored.prefix = "HR";
  POTOK_ASSIGN_OR_RETURN(
      const in::Flow wire,
      intake::WithMaskedFields(intake::ToWire(stored), request.flow(), request.update_mask()));
  FUZZ_CHECK(wire.prefix() == stored.prefix, wire.prefix());
  return Published(intake::FlowFromWire(wire, stored.id));
}

absl::Status Employees(const in::BatchUpsertEmployeesRequest& request) {
  std::vector<intake::EmployeeRow> rows;
  for (const in::Employee& wire : request.employees()) {
    POTOK_ASSIGN_OR_RETURN(intake::EmployeeRow row, intake::RowFromWire(wire, "employees[0]"));
    rows.push_back(std::move(row));
  }
  POTOK_RETURN_IF_ERROR(intake::CheckEmployees(rows, {"petrov"}, {"hr"}));
  for (const intake::EmployeeRow& row : rows) {
    const auto again = intake::RowFromWire(intake::ToWire(row), "");
    FUZZ_CHECK(again.ok() && again->id == row.id && again->manager == row.manager &&
                   again->department == row.department && again->zone == row.zone &&
                   again->version == row.version,
               row.id);
    FUZZ_CHECK(row.zone.front() != '/' && row.zone != "localtime", row.zone);
  }
  return absl::OkStatus();
}

absl::Status Departments(const in::BatchUpsertDepartmentsRequest& request) {
  std::vector<intake::DepartmentRow> rows;
  for (const in::Department& wire : request.departments()) {
    POTOK_ASSIGN_OR_RETURN(intake::DepartmentRow row, intake::RowFromWire(wire, "departments[0]"));
    rows.push_back(std::move(row));
  }
  return intake::CheckDepartments(rows, {"petrov"}, {{"hr", ""}, {"hr-north", "hr"}});
}

absl::Status CreateCalendar(const sla::CreateCalendarRequest& request) {
  POTOK_ASSIGN_OR_RETURN(const desk::CalendarDefinition calendar,
                         sla_timer::CalendarFromWire(request));
  const std::string stored = ledger::ToJson(calendar);
  const auto read = ledger::CalendarFromJson(stored);
  FUZZ_CHECK(read.ok() && ledger::ToJson(*read) == stored, stored);
  (void)sla_timer::ToWire({calendar, kNow, kNow}, true);
  const auto compiled = desk::Calendar::Compile(calendar, 2026, 2026);
  FUZZ_CHECK(compiled.ok(), compiled.status().ToString());
  return absl::OkStatus();
}

absl::Status StoredPolicy(const desk::SlaPolicy& policy) {
  const std::string stored = ledger::ToJson(policy);
  const auto read = ledger::PolicyFromJson(stored);
  FUZZ_CHECK(read.ok() && ledger::ToJson(*read) == stored, stored);
  const auto again =
      sla_timer::PolicyFromWire(sla_timer::ToWire({policy, kNow, kNow}), policy.id, policy.version);
  FUZZ_CHECK(again.ok() && ledger::ToJson(*again) == stored, stored);
  return absl::OkStatus();
}

absl::Status CreatePolicy(const sla::CreateSlaPolicyRequest& request) {
  POTOK_ASSIGN_OR_RETURN(
      const desk::SlaPolicy policy,
      sla_timer::PolicyFromWire(request.sla_policy(), request.sla_policy_id(), 1));
  return StoredPolicy(policy);
}

absl::Status UpdatePolicy(const sla::UpdateSlaPolicyRequest& request) {
  desk::SlaPolicy old;
  old.id = "standard";
  old.calendar_id = "moscow";
  old.fallback.resolution = desk::Target{desk::Target::kWorkingDays, 2};
  POTOK_ASSIGN_OR_RETURN(const sla::SlaPolicy wire,
                         sla_timer::WithChanges(sla_timer::ToWire({old, kNow, kNow}),
                                                request.sla_policy(), request.update_mask()));
  POTOK_ASSIGN_OR_RETURN(const desk::SlaPolicy policy,
                         sla_timer::PolicyFromWire(wire, old.id, old.version));
  return StoredPolicy(policy);
}

absl::Status Members(const potok::router::v1::BatchUpsertMembersRequest& request) {
  FUZZ_CHECK(!router::PartOfName(request.parent(), 1).empty(), request.parent());
  for (const auto& member : request.members()) {
    FUZZ_CHECK(!router::PartOfName(member.employee(), 1).empty(), member.employee());
    POTOK_RETURN_IF_ERROR(router::VersionOf("members[0].etag", member.etag()).status());
  }
  return absl::OkStatus();
}

absl::Status Deliveries(const potok::notifier::v1::ListDeliveriesRequest& request) {
  return desk::ParseFilter(request.filter(), notifier::DeliveryFields()).status();
}

// A verb of a ticket: its name and its words.
template <class Request>
std::function<absl::Status(const Request&)> Verb(const char* field,
                                                 const std::string& (Request::*words)() const) {
  return [=](const Request& request) -> absl::Status {
    POTOK_RETURN_IF_ERROR(intake::TicketIdOf("name", request.name()).status());
    POTOK_RETURN_IF_ERROR(intake::CheckText(field, (request.*words)(), true));
    FUZZ_CHECK(intake::ContentHash().Add(field, (request.*words)()).Hex().size() == 64, field);
    return absl::OkStatus();
  };
}

using Conversion = std::function<absl::Status(const google::protobuf::Message&)>;
using Conversions = std::map<const google::protobuf::Descriptor*, Conversion>;

template <class Request, class Run>
void Add(Conversions& to, Run run) {
  to[Request::descriptor()] = [run](const google::protobuf::Message& message) {
    return run(static_cast<const Request&>(message));
  };
}

const Conversions& All() {
  static const auto& all = *new Conversions([] {
    Conversions all;
    Add<in::CreateTicketRequest>(all, Create);
    Add<in::ExtendDeadlineRequest>(all, Extend);
    Add<in::ListTicketsRequest>(all, List);
    Add<in::CreateFlowRequest>(all, CreateFlow);
    Add<in::UpdateFlowRequest>(all, UpdateFlow);
    Add<in::BatchUpsertEmployeesRequest>(all, Employees);
    Add<in::BatchUpsertDepartmentsRequest>(all, Departments);
    Add<sla::CreateCalendarRequest>(all, CreateCalendar);
    Add<sla::CreateSlaPolicyRequest>(all, CreatePolicy);
    Add<sla::UpdateSlaPolicyRequest>(all, UpdatePolicy);
    Add<potok::router::v1::BatchUpsertMembersRequest>(all, Members);
    Add<potok::notifier::v1::ListDeliveriesRequest>(all, Deliveries);
    Add<in::WaitTicketRequest>(all, Verb("question", &in::WaitTicketRequest::question));
    Add<in::ResolveTicketRequest>(all, Verb("result", &in::ResolveTicketRequest::result));
    Add<in::SendBackTicketRequest>(all, Verb("reason", &in::SendBackTicketRequest::reason));
    Add<in::CancelTicketRequest>(all, Verb("reason", &in::CancelTicketRequest::reason));
    Add<in::ReopenTicketRequest>(all, Verb("reason", &in::ReopenTicketRequest::reason));
    Add<in::AddCommentRequest>(all, Verb("text", &in::AddCommentRequest::text));
    return all;
  }());
  return all;
}

}  // namespace

absl::Status Convert(const google::protobuf::Message& request) {
  const auto found = All().find(request.GetDescriptor());
  return found == All().end() ? absl::OkStatus() : found->second(request);
}

}  // namespace potok::fuzz
