#include "intake/rpc/convert_flow.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

#include "base/error.h"
#include "intake/rpc/convert_ticket.h"
#include "ledger/history.h"

namespace potok::intake {
namespace {

api::v1::DistributionMode ModeToWire(desk::DistributionMode mode) {
  switch (mode) {
    case desk::DistributionMode::kRoundRobin: return api::v1::DISTRIBUTION_MODE_ROUND_ROBIN;
    case desk::DistributionMode::kLeastLoaded: return api::v1::DISTRIBUTION_MODE_LEAST_LOADED;
    case desk::DistributionMode::kManual: return api::v1::DISTRIBUTION_MODE_MANUAL;
    case desk::DistributionMode::kSelfPick: return api::v1::DISTRIBUTION_MODE_SELF_PICK;
    case desk::DistributionMode::kRules: return api::v1::DISTRIBUTION_MODE_RULES;
  }
  return api::v1::DISTRIBUTION_MODE_UNSPECIFIED;
}

desk::DistributionMode ModeFromWire(api::v1::DistributionMode mode) {
  switch (mode) {
    case api::v1::DISTRIBUTION_MODE_LEAST_LOADED: return desk::DistributionMode::kLeastLoaded;
    case api::v1::DISTRIBUTION_MODE_MANUAL: return desk::DistributionMode::kManual;
    case api::v1::DISTRIBUTION_MODE_SELF_PICK: return desk::DistributionMode::kSelfPick;
    case api::v1::DISTRIBUTION_MODE_RULES: return desk::DistributionMode::kRules;
    default: return desk::DistributionMode::kRoundRobin;
  }
}

v1::FormField::Type TypeToWire(desk::FormField::Type type) {
  switch (type) {
    case desk::FormField::kText: return v1::FormField::TYPE_TEXT;
    case desk::FormField::kNumber: return v1::FormField::TYPE_NUMBER;
    case desk::FormField::kBool: return v1::FormField::TYPE_BOOL;
    case desk::FormField::kEnum: return v1::FormField::TYPE_ENUM;
    case desk::FormField::kMultiEnum: return v1::FormField::TYPE_MULTI_ENUM;
    case desk::FormField::kDate: return v1::FormField::TYPE_DATE;
    case desk::FormField::kDateRange: return v1::FormField::TYPE_DATE_RANGE;
    case desk::FormField::kEmployee: return v1::FormField::TYPE_EMPLOYEE;
    case desk::FormField::kFile: break;  // The wire has no files yet, so no stored form has one.
  }
  return v1::FormField::TYPE_UNSPECIFIED;
}

desk::FormField::Type TypeFromWire(v1::FormField::Type type) {
  switch (type) {
    case v1::FormField::TYPE_NUMBER: return desk::FormField::kNumber;
    case v1::FormField::TYPE_BOOL: return desk::FormField::kBool;
    case v1::FormField::TYPE_ENUM: return desk::FormField::kEnum;
    case v1::FormField::TYPE_MULTI_ENUM: return desk::FormField::kMultiEnum;
    case v1::FormField::TYPE_DATE: return desk::FormField::kDate;
    case v1::FormField::TYPE_DATE_RANGE: return desk::FormField::kDateRange;
    case v1::FormField::TYPE_EMPLOYEE: return desk::FormField::kEmployee;
    default: return desk::FormField::kText;
  }
}

void SetText(const std::string& ru, const std::string& en, api::v1::LocalizedText* out) {
  out->set_ru(ru);
  out->set_en(en);
}

v1::FormField FieldToWire(const desk::FormField& field) {
  v1::FormField wire;
  wire.set_name(field.name);
  wire.set_type(TypeToWire(field.type));
  SetText(field.label_ru, field.label_en, wire.mutable_label());
  if (!field.help_ru.empty() || !field.help_en.empty()) {
    SetText(field.help_ru, field.help_en, wire.mutable_help());
  }
  wire.set_required(field.required);
  for (const desk::EnumOption& option : field.options) {
    auto* out = wire.add_options();
    out->set_value(option.value);
    SetText(option.label_ru, option.label_en, out->mutable_label());
  }
  wire.set_pattern(field.pattern);
  if (field.min) wire.set_min(*field.min);
  if (field.max) wire.set_max(*field.max);
  wire.set_default_value(field.default_value);
  if (field.shown_if) {
    wire.mutable_shown_if()->set_field(field.shown_if->field);
    for (const std::string& value : field.shown_if->values) {
      wire.mutable_shown_if()->add_values(value);
    }
  }
  return wire;
}

desk::FormField FieldFromWire(const v1::FormField& wire) {
  desk::FormField field;
  field.name = wire.name();
  field.type = TypeFromWire(wire.type());
  field.label_ru = wire.label().ru();
  field.label_en = wire.label().en();
  field.help_ru = wire.help().ru();
  field.help_en = wire.help().en();
  field.required = wire.required();
  for (const auto& option : wire.options()) {
    field.options.push_back({option.value(), option.label().ru(), option.label().en()});
  }
  field.pattern = wire.pattern();
  if (wire.has_min()) field.min = wire.min();
  if (wire.has_max()) field.max = wire.max();
  field.default_value = wire.default_value();
  if (wire.has_shown_if()) {
    field.shown_if =
        desk::ShownIf{wire.shown_if().field(),
                      {wire.shown_if().values().begin(), wire.shown_if().values().end()}};
  }
  return field;
}

std::vector<std::string> Ids(absl::string_view collection,
                             const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<std::string> ids;
  for (const std::string& name : names) ids.push_back(IdOf(collection, name));
  return ids;
}

// Desk path -> wire path, by prefix; the longer ones first.
std::string WirePath(const std::string& desk_path) {
  struct Renamed {
    absl::string_view desk, wire;
  };
  static constexpr Renamed kRenamed[] = {
      {"flow.display_name_ru", "flow.display_name"},
      {"flow.who_may_file", "flow.filing_access"},
      {"flow.options.autoclose_working_days", "flow.options.auto_close_working_days"},
      {"flow.options.agent_may_extend", "flow.options.agent_may_extend_deadline"},
      {"flow.health.", "flow.health_thresholds."},
      {"flow.lines", "flow.line_count"},
      {"flow.knowledge_link", "flow.knowledge_uri"},
      {"flow.form.fields", "flow.form_fields"},
  };
  for (const Renamed& each : kRenamed) {
    absl::string_view rest = desk_path;
    if (absl::ConsumePrefix(&rest, each.desk)) {
      return absl::StrReplaceAll(absl::StrCat(each.wire, rest), {{"label_ru", "label.ru"},
                                                                 {"label_en", "label.en"},
                                                                 {"help_ru", "help.ru"},
                                                                 {"help_en", "help.en"}});
    }
  }
  return desk_path;
}

}  // namespace

v1::Flow ToWire(const desk::Flow& flow) {
  v1::Flow wire;
  wire.set_name(FlowName(flow.id));
  wire.set_version(flow.version);
  SetText(flow.name_ru, flow.name_en, wire.mutable_display_name());
  wire.set_description(flow.description);
  wire.set_knowledge_uri(flow.knowledge_link);
  wire.set_project(flow.project);
  wire.set_prefix(flow.prefix);
  for (const desk::FormField& field : flow.form.fields)
    *wire.add_form_fields() = FieldToWire(field);
  auto* access = wire.mutable_filing_access();
  access->set_all_employees(flow.who_may_file.all);
  for (const std::string& id : flow.who_may_file.departments) {
    access->add_departments(absl::StrCat("departments/", id));
  }
  for (const std::string& id : flow.who_may_file.employees) access->add_employees(EmployeeName(id));
  wire.set_distribution_mode(ModeToWire(flow.mode));
  if (!flow.sla_policy.empty()) wire.set_sla_policy(absl::StrCat("slaPolicies/", flow.sla_policy));
  auto* options = wire.mutable_options();
  options->set_agent_may_extend_deadline(flow.options.agent_may_extend);
  options->set_half_term_reminder(flow.options.half_term_reminder);
  options->set_requester_accepts(flow.options.requester_accepts);
  options->set_auto_close_working_days(flow.options.autoclose_working_days);
  options->set_overload_threshold(flow.options.overload_threshold);
  options->set_max_active(flow.options.max_active);
  options->set_working_hours_only(flow.options.working_hours_only);
  options->set_reopen_days(flow.options.reopen_days);
  auto* health = wire.mutable_health_thresholds();
  health->set_yellow_on_time_percent(flow.health.yellow_on_time_percent);
  health->set_red_on_time_percent(flow.health.red_on_time_percent);
  health->set_yellow_oldest_wait_minutes(flow.health.yellow_oldest_wait_minutes);
  health->set_red_oldest_wait_minutes(flow.health.red_oldest_wait_minutes);
  for (const std::string& id : flow.admins) wire.add_admins(EmployeeName(id));
  wire.set_manager(EmployeeName(flow.manager));
  wire.set_line_count(flow.lines);
  return wire;
}

v1::Flow ToWire(const StoredFlow& stored) {
  v1::Flow wire = ToWire(stored.flow);
  SetTimestamp(stored.created_at, wire.mutable_create_time());
  SetTimestamp(stored.published_at, wire.mutable_update_time());
  wire.set_etag(ledger::EtagOf(stored.flow.version));
  return wire;
}

v1::FlowTemplate ToWire(const FlowTemplate& flow_template) {
  v1::FlowTemplate wire;
  wire.set_name(absl::StrCat("flowTemplates/", flow_template.id));
  SetText(flow_template.flow.name_ru, flow_template.flow.name_en, wire.mutable_display_name());
  SetText(flow_template.description_ru, flow_template.description_en, wire.mutable_description());
  *wire.mutable_flow() = ToWire(flow_template.flow);
  wire.mutable_flow()->clear_name();
  wire.mutable_flow()->clear_version();
  return wire;
}

desk::Flow FlowFromWire(const v1::Flow& wire, const std::string& id) {
  desk::Flow flow;
  flow.id = id;
  flow.name_ru = wire.display_name().ru();
  flow.name_en = wire.display_name().en();
  flow.description = wire.description();
  flow.knowledge_link = wire.knowledge_uri();
  flow.project = wire.project();
  flow.prefix = wire.prefix();
  for (const v1::FormField& field : wire.form_fields()) {
    flow.form.fields.push_back(FieldFromWire(field));
  }
  if (wire.has_filing_access()) {
    flow.who_may_file.all = wire.filing_access().all_employees();
    flow.who_may_file.departments = Ids("departments", wire.filing_access().departments());
    flow.who_may_file.employees = Ids("employees", wire.filing_access().employees());
  }
  flow.mode = ModeFromWire(wire.distribution_mode());
  flow.sla_policy = IdOf("slaPolicies", wire.sla_policy());
  const v1::FlowOptions& options = wire.options();
  if (options.has_agent_may_extend_deadline()) {
    flow.options.agent_may_extend = options.agent_may_extend_deadline();
  }
  if (options.has_half_term_reminder()) {
    flow.options.half_term_reminder = options.half_term_reminder();
  }
  if (options.has_requester_accepts()) flow.options.requester_accepts = options.requester_accepts();
  if (options.has_auto_close_working_days()) {
    flow.options.autoclose_working_days = options.auto_close_working_days();
  }
  if (options.has_overload_threshold()) {
    flow.options.overload_threshold = options.overload_threshold();
  }
  if (options.has_max_active()) flow.options.max_active = options.max_active();
  if (options.has_working_hours_only()) {
    flow.options.working_hours_only = options.working_hours_only();
  }
  if (options.has_reopen_days()) flow.options.reopen_days = options.reopen_days();
  const v1::HealthThresholds& health = wire.health_thresholds();
  if (health.has_yellow_on_time_percent()) {
    flow.health.yellow_on_time_percent = health.yellow_on_time_percent();
  }
  if (health.has_red_on_time_percent()) {
    flow.health.red_on_time_percent = health.red_on_time_percent();
  }
  if (health.has_yellow_oldest_wait_minutes()) {
    flow.health.yellow_oldest_wait_minutes = health.yellow_oldest_wait_minutes();
  }
  if (health.has_red_oldest_wait_minutes()) {
    flow.health.red_oldest_wait_minutes = health.red_oldest_wait_minutes();
  }
  flow.admins = Ids("employees", wire.admins());
  flow.manager = IdOf("employees", wire.manager());
  flow.lines = wire.line_count() == 0 ? 1 : wire.line_count();
  return flow;
}

absl::Status PublishableFlow(const desk::Flow& flow) {
  const absl::Status status = desk::ValidateFlow(flow);
  std::vector<FieldViolation> fields = GetErrorDetail(status).fields;
  if (fields.empty()) return status;
  for (FieldViolation& each : fields) each.field = WirePath(each.field);
  return BadFields(std::move(fields));
}

}  // namespace potok::intake
