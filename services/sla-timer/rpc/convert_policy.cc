#include "sla-timer/rpc/convert_policy.h"

#include <algorithm>
#include <cstdio>
#include <google/protobuf/util/field_mask_util.h>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "ledger/history.h"
#include "sla-timer/rpc/wire.h"

namespace potok::sla_timer {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::util::FieldMaskUtil;

constexpr const char* kMutable[] = {
    "display_name",    "calendar", "targets", "fallback_target", "needed_today_resolution",
    "escalation_steps"};

desk::Target TermFromWire(const v1::Term& term) {
  return {static_cast<desk::Target::Unit>(term.unit() - 1),
          term.amount()};  // One apart: see ToWire.
}

void ToWire(const desk::Target& target, v1::Term* out) {
  // Same order on both sides, one apart for UNIT_UNSPECIFIED; a test compares every name.
  out->set_unit(static_cast<v1::Term::Unit>(target.unit + 1));
  out->set_amount(target.amount);
}

desk::PriorityTargets TargetsFromWire(const v1::SlaTarget& wire) {
  desk::PriorityTargets targets;
  if (wire.has_resolution()) targets.resolution = TermFromWire(wire.resolution());
  if (wire.has_first_response()) targets.first_response = TermFromWire(wire.first_response());
  return targets;
}

void ToWire(const desk::PriorityTargets& targets, v1::SlaTarget* out) {
  if (targets.resolution) ToWire(*targets.resolution, out->mutable_resolution());
  if (targets.first_response) ToWire(*targets.first_response, out->mutable_first_response());
}

// "by_priority[2].resolution.amount" -> "sla_policy.targets[0].resolution.amount" and the like.
std::string FieldOf(const std::string& field, const std::map<int, int>& target_of_priority) {
  int index = 0, used = 0;
  if (field == "id") return "sla_policy_id";
  if (field == "calendar_id") return "sla_policy.calendar";
  if (std::sscanf(field.c_str(), "by_priority[%d]%n", &index, &used) == 1) {
    return absl::StrCat("sla_policy.targets[", target_of_priority.at(index), "]",
                        field.substr(used));
  }
  if (std::sscanf(field.c_str(), "steps[%d]%n", &index, &used) == 1) {
    return absl::StrCat("sla_policy.escalation_steps[", index, "].delay");
  }
  absl::string_view rest = field;
  if (absl::ConsumePrefix(&rest, "fallback"))
    return absl::StrCat("sla_policy.fallback_target", rest);
  if (absl::ConsumePrefix(&rest, "needed_today")) {
    return absl::StrCat("sla_policy.needed_today_resolution", rest);
  }
  return field == "steps" ? "sla_policy.escalation_steps" : absl::StrCat("sla_policy.", field);
}

absl::Status MaskInvalid(const std::string& path) {
  const std::string allowed = absl::StrJoin(kMutable, ", ");
  ErrorDetail detail;
  detail.metadata["path"] = path;
  detail.fields = {
      {"update_mask",
       absl::StrCat("\"", path, "\" is unknown or cannot be changed; may change: ", allowed),
       absl::StrCat("«", path, "» неизвестно или не меняется; можно менять: ", allowed)}};
  detail.ru = absl::StrCat("update_mask: «", path, "» неизвестно или не меняется");
  return MakeError(absl::StatusCode::kInvalidArgument, "FIELD_MASK_INVALID",
                   absl::StrCat("update_mask: \"", path, "\" is unknown or cannot be changed"),
                   std::move(detail));
}

}  // namespace

absl::StatusOr<desk::SlaPolicy> PolicyFromWire(const v1::SlaPolicy& wire, const std::string& id,
                                               int version) {
  desk::SlaPolicy policy;
  policy.id = id;
  policy.version = version;
  policy.name = wire.display_name();
  policy.calendar_id = IdOf("calendars", wire.calendar());
  std::map<int, int> target_of_priority;
  for (int i = 0; i < wire.targets_size(); ++i) {
    const v1::SlaTarget& target = wire.targets(i);
    const std::string field = absl::StrCat("sla_policy.targets[", i, "].priority");
    if (target.priority() == 0) {
      return BadField(field, "must be 1 (highest) to 4; 0 is for fallback_target only",
                      "от 1 (высший) до 4; 0 бывает только у fallback_target");
    }
    if (!target_of_priority.emplace(target.priority(), i).second) {
      return BadField(field, "each priority at most once; join the two targets",
                      "каждый приоритет не больше одного раза; объедините цели");
    }
    policy.by_priority[target.priority()] = TargetsFromWire(target);
  }
  if (wire.fallback_target().priority() != 0) {
    return BadField("sla_policy.fallback_target.priority",
                    "must be 0: the fallback is for every priority that `targets` does not name",
                    "должен быть 0: эта цель для всех приоритетов, которых нет в targets");
  }
  policy.fallback = TargetsFromWire(wire.fallback_target());
  if (wire.has_needed_today_resolution()) {
    policy.needed_today.reset();
    if (wire.needed_today_resolution().amount() != 0) {
      policy.needed_today = TermFromWire(wire.needed_today_resolution());
    }
  }
  for (const v1::EscalationStep& step : wire.escalation_steps()) {
    policy.steps.push_back({static_cast<int>(policy.steps.size()) + 1,
                            absl::Floor(DurationFromWire(step.delay()), absl::Microseconds(1)),
                            step.action() == v1::EscalationStep::ACTION_NEXT_LINE
                                ? desk::EscalationStep::kNextLine
                                : desk::EscalationStep::kTellManager});
  }
  POTOK_RETURN_IF_ERROR(WithFields(policy.Validate(), [&](const std::string& field) {
    return FieldOf(field, target_of_priority);
  }));
  return policy;
}

v1::SlaPolicy ToWire(const PublishedPolicy& published) {
  const desk::SlaPolicy& policy = published.definition;
  v1::SlaPolicy wire;
  wire.set_name(absl::StrCat("slaPolicies/", policy.id));
  wire.set_version(policy.version);
  wire.set_display_name(policy.name);
  wire.set_calendar(absl::StrCat("calendars/", policy.calendar_id));
  for (const auto& [priority, targets] : policy.by_priority) {
    v1::SlaTarget* target = wire.add_targets();
    target->set_priority(priority);
    ToWire(targets, target);
  }
  if (policy.fallback.resolution || policy.fallback.first_response) {
    ToWire(policy.fallback, wire.mutable_fallback_target());
  }
  ToWire(policy.needed_today.value_or(desk::Target{desk::Target::kWorkingHours, 0}),
         wire.mutable_needed_today_resolution());
  for (const desk::EscalationStep& step : policy.steps) {
    v1::EscalationStep* out = wire.add_escalation_steps();
    SetDuration(step.after_breach, out->mutable_delay());
    out->set_action(step.action == desk::EscalationStep::kNextLine
                        ? v1::EscalationStep::ACTION_NEXT_LINE
                        : v1::EscalationStep::ACTION_TELL_MANAGER);
  }
  SetTimestamp(published.created_at, wire.mutable_create_time());
  SetTimestamp(published.published_at, wire.mutable_update_time());
  wire.set_etag(ledger::EtagOf(policy.version));
  return wire;
}

absl::StatusOr<v1::SlaPolicy> WithChanges(v1::SlaPolicy base, const v1::SlaPolicy& changes,
                                          const FieldMask& mask) {
  const auto is_mutable = [](absl::string_view path) {
    const absl::string_view top = path.substr(0, path.find('.'));
    return std::any_of(std::begin(kMutable), std::end(kMutable),
                       [&](const char* each) { return top == each; });
  };
  FieldMask paths;
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      for (const char* each : kMutable) paths.add_paths(each);
    } else if (is_mutable(path) && FieldMaskUtil::IsValidPath<v1::SlaPolicy>(path)) {
      paths.add_paths(path);
    } else {
      return MaskInvalid(path);
    }
  }
  if (mask.paths().empty()) {
    std::vector<const FieldDescriptor*> set;
    changes.GetReflection()->ListFields(changes, &set);
    for (const FieldDescriptor* field : set) {
      if (is_mutable(field->name())) paths.add_paths(field->name());
    }
  }
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(changes, paths, options, &base);
  return base;
}

}  // namespace potok::sla_timer
