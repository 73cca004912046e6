#include "desk/flow/flow.h"

#include <cctype>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"

namespace potok::desk {
namespace {

bool IsFlowId(const std::string& id) {
  if (id.size() < 2 || id.size() > 63 || !std::islower(static_cast<unsigned char>(id.front())) ||
      id.back() == '-') {
    return false;
  }
  for (const char c : id) {
    const unsigned char u = static_cast<unsigned char>(c);
    if (!std::islower(u) && !std::isdigit(u) && c != '-') return false;
  }
  return true;
}

bool IsPrefix(const std::string& prefix) {
  if (prefix.size() < 2 || prefix.size() > 8) return false;
  for (const char c : prefix) {
    if (c < 'A' || c > 'Z') return false;
  }
  return true;
}

void CheckRange(std::vector<FieldViolation>& bad, const char* field, int value, int low, int high) {
  if (value >= low && value <= high) return;
  bad.push_back({field, absl::StrCat("must be ", low, " to ", high, ", not ", value),
                 absl::StrCat("от ", low, " до ", high, ", а не ", value)});
}

}  // namespace

absl::Status ValidateFlow(const Flow& flow) {
  std::vector<FieldViolation> bad;
  if (!IsFlowId(flow.id)) {
    bad.push_back({"flow_id", "must be 2 to 63 of a-z, 0-9 and '-', starting with a letter",
                   "от 2 до 63 знаков a-z, 0-9 и «-», первой идёт буква"});
  }
  if (!IsPrefix(flow.prefix)) {
    bad.push_back({"flow.prefix", "must be 2 to 8 capital Latin letters, such as IT",
                   "от 2 до 8 заглавных латинских букв, например IT"});
  }
  if (flow.name_ru.empty() && flow.name_en.empty()) {
    bad.push_back({"flow.display_name_ru", "a flow needs a name in Russian or English",
                   "потоку нужно название на русском или английском"});
  }
  if (flow.sla_policy.empty()) {
    bad.push_back({"flow.sla_policy", "must name an SLA policy, such as slaPolicies/standard",
                   "укажите политику сроков, например slaPolicies/standard"});
  }
  if (!flow.who_may_file.all && flow.who_may_file.departments.empty() &&
      flow.who_may_file.employees.empty()) {
    bad.push_back({"flow.who_may_file", "nobody could file: allow all, a department or an employee",
                   "никто не сможет подать заявку: разрешите всем, отделу или сотруднику"});
  }
  CheckRange(bad, "flow.options.autoclose_working_days", flow.options.autoclose_working_days, 1,
             60);
  CheckRange(bad, "flow.options.overload_threshold", flow.options.overload_threshold, 0, 100000);
  CheckRange(bad, "flow.options.max_active", flow.options.max_active, 1, 1000);
  CheckRange(bad, "flow.options.reopen_days", flow.options.reopen_days, 0, 3650);
  CheckRange(bad, "flow.lines", flow.lines, 1, 3);
  CheckRange(bad, "flow.health.yellow_on_time_percent", flow.health.yellow_on_time_percent,
             flow.health.red_on_time_percent, 100);
  CheckRange(bad, "flow.health.red_on_time_percent", flow.health.red_on_time_percent, 0, 100);
  POTOK_RETURN_IF_ERROR(BadFields(std::move(bad)));
  return ValidateForm(flow.form);
}

}  // namespace potok::desk
