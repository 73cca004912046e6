#include "ledger/definition_codec.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include <nlohmann/json.hpp>

#include "base/json_value.h"

namespace potok::ledger {
namespace {

using nlohmann::json;

// A name stored for each value of an enum. Names are never renamed: old rows carry them for good.
template <class E>
struct Stored {
  E value;
  const char* name;
};

constexpr Stored<desk::FormField::Type> kFieldTypes[] = {
    {desk::FormField::kText, "text"},
    {desk::FormField::kNumber, "number"},
    {desk::FormField::kBool, "bool"},
    {desk::FormField::kEnum, "enum"},
    {desk::FormField::kMultiEnum, "multi_enum"},
    {desk::FormField::kDate, "date"},
    {desk::FormField::kDateRange, "date_range"},
    {desk::FormField::kEmployee, "employee"},
    {desk::FormField::kFile, "file"},
};
constexpr Stored<desk::DayException::Kind> kDayKinds[] = {
    {desk::DayException::kHoliday, "holiday"},
    {desk::DayException::kDayOffMoved, "day_off_moved"},
    {desk::DayException::kWorking, "working"},
    {desk::DayException::kWorkingShortened, "working_shortened"},
    {desk::DayException::kShortened, "shortened"},
};
constexpr Stored<desk::Target::Unit> kUnits[] = {
    {desk::Target::kWorkingMinutes, "working_minutes"},
    {desk::Target::kWorkingHours, "working_hours"},
    {desk::Target::kWorkingDays, "working_days"},
    {desk::Target::kWorkingMonths, "working_months"},
};
constexpr Stored<desk::EscalationStep::Action> kActions[] = {
    {desk::EscalationStep::kTellManager, "tell_manager"},
    {desk::EscalationStep::kNextLine, "next_line"},
};

template <class E, size_t N>
const char* NameOf(const Stored<E> (&names)[N], E value) {
  for (const Stored<E>& entry : names) {
    if (entry.value == value) return entry.name;
  }
  return "";  // Unreachable: the tables above name every value.
}

template <class E, size_t N>
E ValueOf(const Stored<E> (&names)[N], const json& stored, const char* what) {
  const auto text = stored.get<std::string>();
  for (const Stored<E>& entry : names) {
    if (text == entry.name) return entry.value;
  }
  throw std::invalid_argument(absl::StrCat("unknown ", what, " \"", text, "\""));
}

// nullptr when the key is absent or null: the reader then keeps its default.
const json* Find(const json& object, const char* key) {
  if (!object.is_object())
    throw std::invalid_argument(absl::StrCat("no object around \"", key, "\""));
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

template <class T>
void Read(const json& object, const char* key, T& to) {
  if (const json* value = Find(object, key)) to = ReadAs<T>(*value);
}

// What the texts of a definition hold was checked as UTF-8 at the border; `replace` only keeps a
// text that got past it from throwing here.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The one place where an exception of the JSON library ends.
template <class T, class F>
absl::StatusOr<T> Parse(const std::string& text, const char* what, F&& read) {
  try {
    return read(json::parse(text));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("stored ", what, " cannot be read: ", error.what()));
  }
}

// Form -------------------------------------------------------------------------------------------

json FieldToJson(const desk::FormField& field) {
  json out = {{"name", field.name},
              {"type", NameOf(kFieldTypes, field.type)},
              {"label_ru", field.label_ru},
              {"label_en", field.label_en},
              {"help_ru", field.help_ru},
              {"help_en", field.help_en},
              {"required", field.required},
              {"pattern", field.pattern},
              {"default", field.default_value}};
  if (!field.options.empty()) {
    json options = json::array();
    for (const desk::EnumOption& option : field.options) {
      options.push_back(
          {{"value", option.value}, {"label_ru", option.label_ru}, {"label_en", option.label_en}});
    }
    out["options"] = std::move(options);
  }
  if (field.min) out["min"] = *field.min;
  if (field.max) out["max"] = *field.max;
  if (field.shown_if) {
    out["shown_if"] = {{"field", field.shown_if->field}, {"values", field.shown_if->values}};
  }
  return out;
}

desk::FormField FieldFromJson(const json& in) {
  desk::FormField field;
  Read(in, "name", field.name);
  if (const json* type = Find(in, "type")) field.type = ValueOf(kFieldTypes, *type, "field type");
  Read(in, "label_ru", field.label_ru);
  Read(in, "label_en", field.label_en);
  Read(in, "help_ru", field.help_ru);
  Read(in, "help_en", field.help_en);
  Read(in, "required", field.required);
  Read(in, "pattern", field.pattern);
  Read(in, "default", field.default_value);
  if (const json* options = Find(in, "options")) {
    for (const json& each : *options) {
      desk::EnumOption option;
      Read(each, "value", option.value);
      Read(each, "label_ru", option.label_ru);
      Read(each, "label_en", option.label_en);
      field.options.push_back(std::move(option));
    }
  }
  if (const json* min = Find(in, "min")) field.min = min->get<double>();
  if (const json* max = Find(in, "max")) field.max = max->get<double>();
  if (const json* shown = Find(in, "shown_if")) {
    field.shown_if.emplace();
    Read(*shown, "field", field.shown_if->field);
    Read(*shown, "values", field.shown_if->values);
  }
  return field;
}

// Flow -------------------------------------------------------------------------------------------

json OptionsToJson(const desk::FlowOptions& options) {
  return {{"agent_may_extend", options.agent_may_extend},
          {"half_term_reminder", options.half_term_reminder},
          {"requester_accepts", options.requester_accepts},
          {"autoclose_working_days", options.autoclose_working_days},
          {"overload_threshold", options.overload_threshold},
          {"max_active", options.max_active},
          {"working_hours_only", options.working_hours_only},
          {"reopen_days", options.reopen_days}};
}

void OptionsFromJson(const json& in, desk::FlowOptions& options) {
  Read(in, "agent_may_extend", options.agent_may_extend);
  Read(in, "half_term_reminder", options.half_term_reminder);
  Read(in, "requester_accepts", options.requester_accepts);
  Read(in, "autoclose_working_days", options.autoclose_working_days);
  Read(in, "overload_threshold", options.overload_threshold);
  Read(in, "max_active", options.max_active);
  Read(in, "working_hours_only", options.working_hours_only);
  Read(in, "reopen_days", options.reopen_days);
}

json HealthToJson(const desk::HealthThresholds& health) {
  return {{"yellow_on_time_percent", health.yellow_on_time_percent},
          {"red_on_time_percent", health.red_on_time_percent},
          {"yellow_oldest_wait_minutes", health.yellow_oldest_wait_minutes},
          {"red_oldest_wait_minutes", health.red_oldest_wait_minutes}};
}

void HealthFromJson(const json& in, desk::HealthThresholds& health) {
  Read(in, "yellow_on_time_percent", health.yellow_on_time_percent);
  Read(in, "red_on_time_percent", health.red_on_time_percent);
  Read(in, "yellow_oldest_wait_minutes", health.yellow_oldest_wait_minutes);
  Read(in, "red_oldest_wait_minutes", health.red_oldest_wait_minutes);
}

desk::Flow ReadFlow(const json& in) {
  desk::Flow flow;
  Read(in, "id", flow.id);
  Read(in, "version", flow.version);
  Read(in, "name_ru", flow.name_ru);
  Read(in, "name_en", flow.name_en);
  Read(in, "description", flow.description);
  Read(in, "knowledge_link", flow.knowledge_link);
  Read(in, "project", flow.project);
  Read(in, "prefix", flow.prefix);
  if (const json* fields = Find(in, "form")) {
    for (const json& field : *fields) flow.form.fields.push_back(FieldFromJson(field));
  }
  if (const json* who = Find(in, "who_may_file")) {
    Read(*who, "all", flow.who_may_file.all);
    Read(*who, "departments", flow.who_may_file.departments);
    Read(*who, "employees", flow.who_may_file.employees);
  }
  if (const json* mode = Find(in, "mode")) {
    const auto name = mode->get<std::string>();
    const auto parsed = desk::ParseDistributionMode(name);
    if (!parsed) throw std::invalid_argument(absl::StrCat("unknown mode \"", name, "\""));
    flow.mode = *parsed;
  }
  Read(in, "sla_policy", flow.sla_policy);
  if (const json* options = Find(in, "options")) OptionsFromJson(*options, flow.options);
  if (const json* health = Find(in, "health")) HealthFromJson(*health, flow.health);
  Read(in, "admins", flow.admins);
  Read(in, "manager", flow.manager);
  Read(in, "lines", flow.lines);
  return flow;
}

// Calendar ---------------------------------------------------------------------------------------

std::string DateText(absl::CivilDay day) { return absl::FormatCivilTime(day); }

absl::CivilDay ReadDate(const json& in) {
  const auto text = in.get<std::string>();
  absl::CivilDay day;
  if (!absl::ParseCivilTime(text, &day)) {
    throw std::invalid_argument(absl::StrCat("\"", text, "\" is no date"));
  }
  return day;
}

// Pairs of minutes, [[540,780],[840,1080]]: short, because a calendar holds hundreds of them.
json HoursToJson(const std::vector<desk::DayInterval>& hours) {
  json out = json::array();
  for (const desk::DayInterval& each : hours) {
    out.push_back(json::array({each.start_minute, each.end_minute}));
  }
  return out;
}

std::vector<desk::DayInterval> ReadHours(const json& in) {
  std::vector<desk::DayInterval> hours;
  for (const json& each : in) hours.push_back({ReadAs<int>(each.at(0)), ReadAs<int>(each.at(1))});
  return hours;
}

desk::DayException ReadException(const json& in) {
  desk::DayException exception;
  exception.date = ReadDate(in.at("date"));
  exception.kind = ValueOf(kDayKinds, in.at("kind"), "kind of day");
  Read(in, "name_ru", exception.name_ru);
  Read(in, "name_en", exception.name_en);
  if (const json* hours = Find(in, "hours")) exception.hours = ReadHours(*hours);
  if (const json* other = Find(in, "swapped_with")) exception.swapped_with = ReadDate(*other);
  return exception;
}

desk::CalendarDefinition ReadCalendar(const json& in) {
  desk::CalendarDefinition calendar;
  Read(in, "id", calendar.id);
  Read(in, "version", calendar.version);
  Read(in, "name", calendar.name);
  Read(in, "zone", calendar.zone);
  if (const json* week = Find(in, "week")) {
    if (week->size() != calendar.week.size()) throw std::invalid_argument("a week has seven days");
    for (size_t day = 0; day < calendar.week.size(); ++day) {
      calendar.week[day] = ReadHours(week->at(day));
    }
  }
  if (const json* exceptions = Find(in, "exceptions")) {
    for (const json& each : *exceptions) calendar.exceptions.push_back(ReadException(each));
  }
  return calendar;
}

// Policy -----------------------------------------------------------------------------------------

json TargetToJson(const desk::Target& target) {
  return {{"unit", NameOf(kUnits, target.unit)}, {"amount", target.amount}};
}

desk::Target ReadTarget(const json& in) {
  return {ValueOf(kUnits, in.at("unit"), "unit"), ReadAs<int>(in.at("amount"))};
}

json TargetsToJson(const desk::PriorityTargets& targets) {
  json out = json::object();
  if (targets.first_response) out["first_response"] = TargetToJson(*targets.first_response);
  if (targets.resolution) out["resolution"] = TargetToJson(*targets.resolution);
  return out;
}

desk::PriorityTargets ReadTargets(const json& in) {
  desk::PriorityTargets targets;
  if (const json* target = Find(in, "first_response")) targets.first_response = ReadTarget(*target);
  if (const json* target = Find(in, "resolution")) targets.resolution = ReadTarget(*target);
  return targets;
}

desk::SlaPolicy ReadPolicy(const json& in) {
  desk::SlaPolicy policy;
  Read(in, "id", policy.id);
  Read(in, "version", policy.version);
  Read(in, "name", policy.name);
  Read(in, "calendar_id", policy.calendar_id);
  if (const json* priorities = Find(in, "by_priority")) {
    for (const auto& [key, targets] : priorities->items()) {
      int priority = 0;
      if (!absl::SimpleAtoi(key, &priority)) {
        throw std::invalid_argument(absl::StrCat("\"", key, "\" is no priority"));
      }
      policy.by_priority[priority] = ReadTargets(targets);
    }
  }
  if (const json* fallback = Find(in, "fallback")) policy.fallback = ReadTargets(*fallback);
  // Absent means the default of four hours; only null says that the mark cuts nothing.
  if (const auto today = in.find("needed_today"); today != in.end()) {
    policy.needed_today.reset();
    if (!today->is_null()) policy.needed_today = ReadTarget(*today);
  }
  Read(in, "half_term_reminder", policy.half_term_reminder);
  if (const json* steps = Find(in, "steps")) {
    for (const json& each : *steps) {
      desk::EscalationStep step;
      Read(each, "level", step.level);
      int64_t after_us = 0;
      Read(each, "after_breach_us", after_us);
      step.after_breach = absl::Microseconds(after_us);
      step.action = ValueOf(kActions, each.at("action"), "action");
      policy.steps.push_back(step);
    }
  }
  return policy;
}

// Answers ----------------------------------------------------------------------------------------

json ValueToJson(const desk::FieldValue& value) {
  return std::visit(
      [](const auto& held) -> json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

desk::FieldValue ReadValue(const json& in) {
  if (in.is_null()) return std::monostate{};
  if (in.is_boolean()) return in.get<bool>();
  if (in.is_number()) return in.get<double>();
  if (in.is_string()) return in.get<std::string>();
  if (in.is_array()) return in.get<std::vector<std::string>>();
  throw std::invalid_argument("an answer is a text, a number, yes or no, or a list of texts");
}

}  // namespace

std::string ToJson(const desk::Flow& flow) {
  json form = json::array();
  for (const desk::FormField& field : flow.form.fields) form.push_back(FieldToJson(field));
  return Dump({{"id", flow.id},
               {"version", flow.version},
               {"name_ru", flow.name_ru},
               {"name_en", flow.name_en},
               {"description", flow.description},
               {"knowledge_link", flow.knowledge_link},
               {"project", flow.project},
               {"prefix", flow.prefix},
               {"form", std::move(form)},
               {"who_may_file",
                {{"all", flow.who_may_file.all},
                 {"departments", flow.who_may_file.departments},
                 {"employees", flow.who_may_file.employees}}},
               {"mode", std::string(desk::Name(flow.mode))},
               {"sla_policy", flow.sla_policy},
               {"options", OptionsToJson(flow.options)},
               {"health", HealthToJson(flow.health)},
               {"admins", flow.admins},
               {"manager", flow.manager},
               {"lines", flow.lines}});
}

std::string ToJson(const desk::CalendarDefinition& calendar) {
  json week = json::array();
  for (const auto& day : calendar.week) week.push_back(HoursToJson(day));
  json exceptions = json::array();
  for (const desk::DayException& each : calendar.exceptions) {
    json out = {{"date", DateText(each.date)},
                {"kind", NameOf(kDayKinds, each.kind)},
                {"name_ru", each.name_ru},
                {"name_en", each.name_en}};
    if (each.hours) out["hours"] = HoursToJson(*each.hours);
    if (each.swapped_with) out["swapped_with"] = DateText(*each.swapped_with);
    exceptions.push_back(std::move(out));
  }
  return Dump({{"id", calendar.id},
               {"version", calendar.version},
               {"name", calendar.name},
               {"zone", calendar.zone},
               {"week", std::move(week)},
               {"exceptions", std::move(exceptions)}});
}

std::string ToJson(const desk::SlaPolicy& policy) {
  json by_priority = json::object();
  for (const auto& [priority, targets] : policy.by_priority) {
    by_priority[absl::StrCat(priority)] = TargetsToJson(targets);
  }
  json steps = json::array();
  for (const desk::EscalationStep& step : policy.steps) {
    steps.push_back({{"level", step.level},
                     {"after_breach_us", absl::ToInt64Microseconds(step.after_breach)},
                     {"action", NameOf(kActions, step.action)}});
  }
  return Dump({{"id", policy.id},
               {"version", policy.version},
               {"name", policy.name},
               {"calendar_id", policy.calendar_id},
               {"by_priority", std::move(by_priority)},
               {"fallback", TargetsToJson(policy.fallback)},
               {"needed_today", policy.needed_today ? TargetToJson(*policy.needed_today) : json()},
               {"half_term_reminder", policy.half_term_reminder},
               {"steps", std::move(steps)}});
}

std::string ToJson(const desk::Answers& answers) {
  json out = json::object();
  for (const auto& [name, value] : answers) out[name] = ValueToJson(value);
  return Dump(out);
}

absl::StatusOr<desk::Flow> FlowFromJson(const std::string& text) {
  return Parse<desk::Flow>(text, "flow", ReadFlow);
}

absl::StatusOr<desk::CalendarDefinition> CalendarFromJson(const std::string& text) {
  return Parse<desk::CalendarDefinition>(text, "calendar", ReadCalendar);
}

absl::StatusOr<desk::SlaPolicy> PolicyFromJson(const std::string& text) {
  return Parse<desk::SlaPolicy>(text, "SLA policy", ReadPolicy);
}

absl::StatusOr<desk::Answers> AnswersFromJson(const std::string& text) {
  return Parse<desk::Answers>(text, "answers", [](const json& in) {
    if (!in.is_object()) throw std::invalid_argument("answers are an object");
    desk::Answers answers;
    for (const auto& [name, value] : in.items()) answers[name] = ReadValue(value);
    return answers;
  });
}

}  // namespace potok::ledger
