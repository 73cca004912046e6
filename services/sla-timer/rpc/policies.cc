#include "sla-timer/rpc/policies.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "ledger/definition_codec.h"
#include "ledger/history.h"
#include "ledger/reference_idem.h"
#include "ledger/reference_write.h"
#include "sla-timer/rpc/convert_policy.h"
#include "sla-timer/rpc/refusals.h"
#include "sla-timer/rpc/wire.h"

namespace potok::sla_timer {

absl::Status Policies::CheckCalendar(const std::string& calendar_id) const {
  if (reference_.Snapshot()->calendars.count(calendar_id) > 0) return absl::OkStatus();
  return NoSuchCalendar(calendar_id);
}

absl::StatusOr<v1::SlaPolicy> Policies::Create(const CallContext& call,
                                               const v1::CreateSlaPolicyRequest& request) const {
  POTOK_RETURN_IF_ERROR(reference_.Refresh());
  absl::StatusOr<desk::SlaPolicy> draft =
      PolicyFromWire(request.sla_policy(), request.sla_policy_id(), 1);
  const absl::Time now = clock_.Now();
  POTOK_ASSIGN_OR_RETURN(
      v1::SlaPolicy made,
      ledger::WriteOnce<v1::SlaPolicy>(pool_, call, request,
                                       [&](pg::Tx& tx) -> absl::StatusOr<v1::SlaPolicy> {
                                         POTOK_RETURN_IF_ERROR(draft.status());
                                         POTOK_RETURN_IF_ERROR(CheckCalendar(draft->calendar_id));
                                         if (!Publish(tx, *draft, call.caller.principal, now)) {
                                           return IdTaken("slaPolicies", draft->id);
                                         }
                                         ledger::BumpEpoch(tx, ledger::kPolicyKind);
                                         return ToWire({*draft, now, now});
                                       }));
  CatchUp(reference_);
  return made;
}

absl::StatusOr<v1::SlaPolicy> Policies::Get(const CallContext& call,
                                            const v1::GetSlaPolicyRequest& request) const {
  const std::string id = IdOf("slaPolicies", request.name());
  POTOK_ASSIGN_OR_RETURN(const std::optional<PublishedPolicy> found,
                         store_.Policy(id, call.deadline));
  if (!found) return NoSuchPolicy(id);
  return ToWire(*found);
}

absl::StatusOr<v1::ListSlaPoliciesResponse> Policies::List(
    const CallContext& call, const v1::ListSlaPoliciesRequest& request) const {
  std::string after;
  if (!request.page_token().empty()) {
    POTOK_ASSIGN_OR_RETURN(
        after, page_tokens_.Open(request.page_token(), "slaPolicies", TokenTime(clock_)));
  }
  const int size = request.page_size() == 0 ? 50 : request.page_size();
  POTOK_ASSIGN_OR_RETURN(const std::vector<PublishedPolicy> found,
                         store_.Policies(after, size + 1, call.deadline));
  v1::ListSlaPoliciesResponse response;
  for (const PublishedPolicy& each : found) {
    if (response.sla_policies_size() == size) {
      response.set_next_page_token(
          page_tokens_.Seal(IdOf("slaPolicies", response.sla_policies(size - 1).name()),
                            "slaPolicies", TokenTime(clock_)));
      break;
    }
    *response.add_sla_policies() = ToWire(each);
  }
  return response;
}

absl::StatusOr<PublishedPolicy> Policies::Changed(const v1::UpdateSlaPolicyRequest& request,
                                                  const PublishedPolicy& stored) const {
  const desk::SlaPolicy& old = stored.definition;
  const v1::SlaPolicy& changes = request.sla_policy();
  if (!changes.etag().empty() && ledger::VersionOfEtag(changes.etag()) != old.version) {
    return StaleEtag(changes.name(), old.version);
  }
  POTOK_ASSIGN_OR_RETURN(const v1::SlaPolicy wire,
                         WithChanges(ToWire(stored), changes, request.update_mask()));
  POTOK_ASSIGN_OR_RETURN(desk::SlaPolicy next, PolicyFromWire(wire, old.id, old.version));
  if (ledger::ToJson(next) == ledger::ToJson(old)) return stored;
  if (next.calendar_id != old.calendar_id) {
    POTOK_RETURN_IF_ERROR(CheckCalendar(next.calendar_id));
    const auto reference = reference_.Snapshot();
    const auto& flows = reference->flow_versions;
    if (std::any_of(flows.begin(), flows.end(),
                    [&](const auto& flow) { return flow.second->sla_policy == old.id; })) {
      return CalendarInUse(old.id, old.calendar_id);
    }
  }
  next.version = old.version + 1;
  return PublishedPolicy{std::move(next), stored.created_at,
                         std::max(clock_.Now(), stored.published_at)};
}

absl::StatusOr<v1::SlaPolicy> Policies::Update(const CallContext& call,
                                               const v1::UpdateSlaPolicyRequest& request) const {
  const std::string id = IdOf("slaPolicies", request.sla_policy().name());
  if (id.empty()) {
    return BadField("sla_policy.name",
                    "must be \"slaPolicies/\" and the id of the policy to change",
                    "укажите «slaPolicies/» и id политики, которую меняете");
  }
  POTOK_RETURN_IF_ERROR(reference_.Refresh());
  POTOK_ASSIGN_OR_RETURN(
      v1::SlaPolicy changed,
      ledger::WriteOnce<v1::SlaPolicy>(
          pool_, call, request, [&](pg::Tx& tx) -> absl::StatusOr<v1::SlaPolicy> {
            POTOK_ASSIGN_OR_RETURN(const std::optional<PublishedPolicy> stored, FindPolicy(tx, id));
            if (!stored) return NoSuchPolicy(id);
            POTOK_ASSIGN_OR_RETURN(const PublishedPolicy next, Changed(request, *stored));
            if (next.definition.version != stored->definition.version) {
              if (!Publish(tx, next.definition, call.caller.principal, next.published_at)) {
                return Conflict(request.sla_policy().name());
              }
              ledger::BumpEpoch(tx, ledger::kPolicyKind);
            }
            return ToWire(next);
          }));
  CatchUp(reference_);
  return changed;
}

}  // namespace potok::sla_timer
