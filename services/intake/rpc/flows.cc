#include "intake/rpc/flows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "intake/domain/flow_templates.h"
#include "intake/rpc/convert_flow.h"
#include "intake/rpc/convert_ticket.h"
#include "intake/rpc/paging.h"
#include "intake/rpc/patch_flow.h"
#include "ledger/definition_codec.h"
#include "ledger/history.h"
#include "ledger/reference_idem.h"
#include "ledger/reference_write.h"
#include "platform/obs/log.h"

namespace potok::intake {
namespace {

absl::Status NoSuchFlow(const std::string& id) {
  ErrorDetail detail;
  detail.metadata["flow"] = FlowName(id);
  detail.ru = absl::StrCat("потока flows/", id, " нет; список потоков даёт ListFlows");
  return MakeError(absl::StatusCode::kNotFound, "FLOW_NOT_FOUND",
                   absl::StrCat("there is no flows/", id, "; ListFlows names them all"),
                   std::move(detail));
}

absl::Status NoSuchTemplate(const std::string& name) {
  std::string ids;
  for (const FlowTemplate& each : FlowTemplates()) {
    absl::StrAppend(&ids, ids.empty() ? "" : ", ", "flowTemplates/", each.id);
  }
  ErrorDetail detail;
  detail.metadata["flow_template"] = name;
  detail.ru = absl::StrCat("шаблона ", name, " нет; есть ", ids);
  return MakeError(absl::StatusCode::kNotFound, "TEMPLATE_NOT_FOUND",
                   absl::StrCat("there is no ", name, "; there are ", ids), std::move(detail));
}

absl::Status StaleEtag(const StoredFlow& stored) {
  const std::string name = FlowName(stored.flow.id);
  ErrorDetail detail;
  detail.metadata["resource"] = name;
  detail.metadata["version"] = absl::StrCat(stored.flow.version);
  detail.ru = absl::StrCat(name, " уже версии ", stored.flow.version,
                           "; прочтите поток ещё раз и решите заново");
  return MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                   absl::StrCat(name, " is at version ", stored.flow.version,
                                " by now; read it again and decide anew"),
                   std::move(detail));
}

// Brings the own snapshot up to what was committed. Others see it within a poll; failing to read it
// here does not undo the write, so it is only logged.
void CatchUp(ledger::Reference& reference) {
  if (const absl::Status status = reference.Refresh(); !status.ok()) {
    obs::LogWarn("reference.stale", "a change is stored but not yet seen here",
                 {{"error", status}});
  }
}

}  // namespace

absl::StatusOr<v1::ListFlowTemplatesResponse> Flows::ListTemplates(
    const CallContext&, const v1::ListFlowTemplatesRequest& request) const {
  POTOK_ASSIGN_OR_RETURN(const PageStart start,
                         StartOf(request, "flowTemplates", page_tokens_, clock_));
  v1::ListFlowTemplatesResponse response;
  for (const FlowTemplate& each : FlowTemplates()) {
    if (each.id <= start.after) continue;
    if (response.flow_templates_size() == start.size) {
      response.set_next_page_token(
          page_tokens_.Seal(IdOf("flowTemplates", response.flow_templates(start.size - 1).name()),
                            "flowTemplates", TokenTime(clock_)));
      break;
    }
    *response.add_flow_templates() = ToWire(each);
  }
  return response;
}

absl::Status Flows::MayWrite(const CallContext& call, const std::string& flow_id,
                             bool is_new) const {
  const desk::Viewer viewer = reference_.Snapshot()->ViewerOf(call.caller);
  if (viewer.admin) return absl::OkStatus();
  if (is_new) {
    // The permission flows.write let them in; a scope narrows it to the one flow it names.
    if (call.caller.scope.empty() || call.caller.scope == flow_id) return absl::OkStatus();
  } else if (std::count(viewer.flows_administered.begin(), viewer.flows_administered.end(),
                        flow_id)) {
    return absl::OkStatus();
  }
  ErrorDetail detail;
  detail.metadata["permission"] = "flows.write";
  detail.ru = absl::StrCat("flows/", flow_id,
                           " меняют его администраторы, руководитель и администраторы системы");
  return MakeError(
      absl::StatusCode::kPermissionDenied, "PERMISSION_DENIED",
      absl::StrCat("only its admins, its manager and administrators may change flows/", flow_id),
      std::move(detail));
}

absl::Status Flows::CheckNames(const desk::Flow& flow) const {
  const auto known = reference_.Snapshot();
  std::vector<FieldViolation> bad;
  const auto employee = [&](const std::string& field, const std::string& id) {
    const ledger::Employee* found = known->FindEmployee(id);
    if (found == nullptr) {
      bad.push_back(
          {field,
           absl::StrCat("there is no employees/", id, "; add them with BatchUpsertEmployees"),
           absl::StrCat("сотрудника employees/", id, " нет; добавьте через BatchUpsertEmployees")});
    } else if (!found->active) {
      bad.push_back({field,
                     absl::StrCat("employees/", id, " has left; name somebody who works here"),
                     absl::StrCat("employees/", id, " больше не работает; назовите другого")});
    }
  };
  for (size_t i = 0; i < flow.admins.size(); ++i) {
    employee(absl::StrCat("flow.admins[", i, "]"), flow.admins[i]);
  }
  if (!flow.manager.empty()) employee("flow.manager", flow.manager);
  for (size_t i = 0; i < flow.who_may_file.employees.size(); ++i) {
    employee(absl::StrCat("flow.filing_access.employees[", i, "]"), flow.who_may_file.employees[i]);
  }
  for (size_t i = 0; i < flow.who_may_file.departments.size(); ++i) {
    const std::string& id = flow.who_may_file.departments[i];
    if (known->departments.count(id) == 0) {
      bad.push_back(
          {absl::StrCat("flow.filing_access.departments[", i, "]"),
           absl::StrCat("there is no departments/", id, "; add it with BatchUpsertDepartments"),
           absl::StrCat("отдела departments/", id, " нет; добавьте через BatchUpsertDepartments")});
    }
  }
  if (known->PolicyOf(flow) == nullptr) {
    bad.push_back({"flow.sla_policy",
                   absl::StrCat("there is no slaPolicies/", flow.sla_policy,
                                "; make it with CreateSlaPolicy first, or name another one"),
                   absl::StrCat("политики slaPolicies/", flow.sla_policy,
                                " нет; создайте её через CreateSlaPolicy или укажите другую")});
  }
  return BadFields(std::move(bad));
}

absl::StatusOr<desk::Flow> Flows::Draft(const v1::CreateFlowRequest& request) const {
  v1::Flow wire;
  if (!request.flow_template().empty()) {
    const FlowTemplate* found = FindFlowTemplate(IdOf("flowTemplates", request.flow_template()));
    if (found == nullptr) return NoSuchTemplate(request.flow_template());
    wire = ToWire(found->flow);
  }
  wire = WithSetFields(std::move(wire), request.flow());
  if (!request.flow().prefix().empty()) wire.set_prefix(request.flow().prefix());
  desk::Flow flow = FlowFromWire(wire, request.flow_id());
  POTOK_RETURN_IF_ERROR(PublishableFlow(flow));
  POTOK_RETURN_IF_ERROR(CheckNames(flow));
  return flow;
}

absl::StatusOr<v1::Flow> Flows::Create(const CallContext& call,
                                       const v1::CreateFlowRequest& request) const {
  POTOK_RETURN_IF_ERROR(MayWrite(call, request.flow_id(), /*is_new=*/true));
  // What the flow names may have been written by another service a moment ago.
  POTOK_RETURN_IF_ERROR(reference_.Refresh());
  // Judged before the transaction, answered inside it: a repeat gets its first answer even when the
  // flow could not be made any more.
  absl::StatusOr<desk::Flow> draft = Draft(request);
  const absl::Time now = clock_.Now();
  const auto create = [&](pg::Tx& tx) -> absl::StatusOr<v1::Flow> {
    POTOK_RETURN_IF_ERROR(draft.status());
    const StoredFlow flow{*draft, now, now};
    POTOK_RETURN_IF_ERROR(FlowStore::Create(tx, flow, call.caller.principal));
    ledger::BumpEpoch(tx, ledger::kFlowKind);
    return ToWire(flow);
  };
  if (request.validate_only()) {
    POTOK_RETURN_IF_ERROR(draft.status());
    return ToWire(*draft);
  }
  POTOK_ASSIGN_OR_RETURN(v1::Flow made, ledger::WriteOnce<v1::Flow>(pool_, call, request, create));
  CatchUp(reference_);
  return made;
}

absl::StatusOr<v1::Flow> Flows::Get(const CallContext& call,
                                    const v1::GetFlowRequest& request) const {
  const std::string id = IdOf("flows", request.name());
  POTOK_ASSIGN_OR_RETURN(const std::optional<StoredFlow> stored, store_.Find(id, call.deadline));
  if (!stored) return NoSuchFlow(id);
  return ToWire(*stored);
}

absl::StatusOr<v1::ListFlowsResponse> Flows::List(const CallContext& call,
                                                  const v1::ListFlowsRequest& request) const {
  POTOK_ASSIGN_OR_RETURN(const PageStart start, StartOf(request, "flows", page_tokens_, clock_));
  // One more than asked for tells whether there is a next page.
  POTOK_ASSIGN_OR_RETURN(const std::vector<StoredFlow> flows,
                         store_.List(start.after, start.size + 1, call.deadline));
  v1::ListFlowsResponse response;
  for (const StoredFlow& each : flows) {
    if (response.flows_size() == start.size) {
      response.set_next_page_token(page_tokens_.Seal(
          IdOf("flows", response.flows(start.size - 1).name()), "flows", TokenTime(clock_)));
      break;
    }
    *response.add_flows() = ToWire(each);
  }
  return response;
}

absl::StatusOr<StoredFlow> Flows::Changed(const v1::UpdateFlowRequest& request,
                                          const StoredFlow& stored) const {
  const v1::Flow& changes = request.flow();
  if (!changes.etag().empty() && ledger::VersionOfEtag(changes.etag()) != stored.flow.version) {
    return StaleEtag(stored);
  }
  const v1::Flow base = ToWire(stored.flow);
  v1::Flow wire;
  if (request.has_update_mask() && request.update_mask().paths_size() > 0) {
    POTOK_ASSIGN_OR_RETURN(wire, WithMaskedFields(base, changes, request.update_mask()));
  } else {
    wire = WithSetFields(base, changes);
  }
  if (!changes.prefix().empty() && changes.prefix() != stored.flow.prefix) {
    return BadField(
        "flow.prefix",
        absl::StrCat("stays ", stored.flow.prefix, ": it is in numbers people have been given"),
        absl::StrCat("остаётся ", stored.flow.prefix, ": он уже в номерах заявок"));
  }
  StoredFlow next{FlowFromWire(wire, stored.flow.id), stored.created_at, stored.published_at};
  next.flow.version = stored.flow.version;
  if (ledger::ToJson(next.flow) == ledger::ToJson(stored.flow)) return stored;
  next.flow.version = stored.flow.version + 1;
  next.published_at = std::max(clock_.Now(), stored.published_at);
  POTOK_RETURN_IF_ERROR(PublishableFlow(next.flow));
  POTOK_RETURN_IF_ERROR(CheckNames(next.flow));
  return next;
}

absl::StatusOr<v1::Flow> Flows::Update(const CallContext& call,
                                       const v1::UpdateFlowRequest& request) const {
  const std::string id = IdOf("flows", request.flow().name());
  if (id.empty()) {
    return BadField("flow.name", "must be \"flows/\" and the id of the flow to change",
                    "укажите «flows/» и id потока, который меняете");
  }
  POTOK_RETURN_IF_ERROR(reference_.Refresh());
  POTOK_RETURN_IF_ERROR(MayWrite(call, id, /*is_new=*/false));
  if (request.validate_only()) {
    POTOK_ASSIGN_OR_RETURN(const std::optional<StoredFlow> stored, store_.Find(id, call.deadline));
    if (!stored) return NoSuchFlow(id);
    POTOK_ASSIGN_OR_RETURN(const StoredFlow next, Changed(request, *stored));
    return ToWire(next);
  }
  const auto update = [&](pg::Tx& tx) -> absl::StatusOr<v1::Flow> {
    POTOK_ASSIGN_OR_RETURN(const std::optional<StoredFlow> stored, FlowStore::Lock(tx, id));
    if (!stored) return NoSuchFlow(id);
    POTOK_ASSIGN_OR_RETURN(const StoredFlow next, Changed(request, *stored));
    if (next.flow.version != stored->flow.version) {
      FlowStore::Publish(tx, next, call.caller.principal);
      ledger::BumpEpoch(tx, ledger::kFlowKind);
    }
    return ToWire(next);
  };
  POTOK_ASSIGN_OR_RETURN(v1::Flow changed,
                         ledger::WriteOnce<v1::Flow>(pool_, call, request, update));
  CatchUp(reference_);
  return changed;
}

}  // namespace potok::intake
