#include "desk/sla/policy.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"

namespace potok::desk {
namespace {

using Violations = std::vector<FieldViolation>;

// Three working years in each unit: longer terms are typing errors, and the bound keeps every due
// time far inside the years a calendar is compiled for.
constexpr int kMostMonths = 36;
constexpr int kMostDays = kMostMonths * kWorkingDaysOfMonth;
constexpr int kMostHours = kMostDays * 24;
constexpr int kMostMinutes = kMostHours * 60;
constexpr size_t kMostSteps = 10;

int MostOf(Target::Unit unit) {
  switch (unit) {
    case Target::kWorkingMinutes: return kMostMinutes;
    case Target::kWorkingHours: return kMostHours;
    case Target::kWorkingDays: return kMostDays;
    case Target::kWorkingMonths: return kMostMonths;
  }
  return 0;
}

void CheckTarget(const std::string& field, const std::optional<Target>& target,
                 Violations& violations) {
  if (!target.has_value()) return;
  const int most = MostOf(target->unit);
  if (target->amount >= 1 && target->amount <= most) return;
  violations.push_back(
      {field + ".amount",
       absl::StrCat("a term in this unit is 1 to ", most, "; leave it out to promise nothing"),
       absl::StrCat("срок в этих единицах от 1 до ", most,
                    "; не задавайте его, если обещания нет")});
}

// Minutes and hours compare with each other, days and months too; a day is worth hours only by a
// calendar.
bool ComparableAndLonger(const Target& a, const Target& b) {
  const auto in_days = [](const Target& t) {
    return t.unit == Target::kWorkingDays || t.unit == Target::kWorkingMonths;
  };
  if (in_days(a) != in_days(b)) return false;
  const auto size = [](const Target& t) {
    return t.amount * (t.unit == Target::kWorkingHours    ? 60
                       : t.unit == Target::kWorkingMonths ? kWorkingDaysOfMonth
                                                          : 1);
  };
  return size(a) > size(b);
}

void CheckTargets(const std::string& field, const PriorityTargets& own,
                  const PriorityTargets& effective, Violations& violations) {
  const size_t before = violations.size();
  CheckTarget(field + ".first_response", own.first_response, violations);
  CheckTarget(field + ".resolution", own.resolution, violations);
  if (violations.size() == before && effective.first_response.has_value() &&
      effective.resolution.has_value() &&
      ComparableAndLonger(*effective.first_response, *effective.resolution)) {
    violations.push_back({field + ".first_response",
                          "the first answer is promised later than the resolution; shorten it",
                          "первый ответ обещан позже решения; сократите его срок"});
  }
}

void CheckSteps(const std::vector<EscalationStep>& steps, Violations& violations) {
  if (steps.size() > kMostSteps) {
    violations.push_back(
        {"steps", absl::StrCat("at most ", kMostSteps, " steps; join some of them"),
         absl::StrCat("не больше ", kMostSteps, " шагов; объедините часть из них")});
  }
  absl::Duration previous;
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string field = absl::StrCat("steps[", i, "]");
    if (steps[i].level != static_cast<int>(i) + 1) {
      violations.push_back({field + ".level",
                            absl::StrCat("levels go 1, 2, 3 in order; this one is ", i + 1),
                            absl::StrCat("уровни идут по порядку 1, 2, 3; этот ", i + 1)});
    }
    if (steps[i].after_breach < previous || steps[i].after_breach > absl::Minutes(kMostMinutes)) {
      violations.push_back(
          {field + ".after_breach",
           absl::StrCat("a step comes no sooner than the one before it and within ", kMostHours,
                        " working hours of the breach"),
           absl::StrCat("шаг наступает не раньше предыдущего и не позже ", kMostHours,
                        " рабочих часов после нарушения")});
    }
    previous = std::max(previous, steps[i].after_breach);
  }
}

}  // namespace

absl::Duration WorkingTime(const Target& target, const Calendar& calendar) {
  switch (target.unit) {
    case Target::kWorkingMinutes: return absl::Minutes(target.amount);
    case Target::kWorkingHours: return absl::Hours(target.amount);
    case Target::kWorkingDays: return calendar.NormalDay() * target.amount;
    case Target::kWorkingMonths: return calendar.NormalDay() * kWorkingDaysOfMonth * target.amount;
  }
  return absl::ZeroDuration();
}

absl::Status SlaPolicy::Validate() const {
  Violations violations;
  if (id.empty())
    violations.push_back({"id", "a policy needs an id", "политике нужен идентификатор"});
  if (calendar_id.empty()) {
    violations.push_back({"calendar_id", "a policy needs a calendar to count working time by",
                          "политике нужен календарь, по которому считать рабочее время"});
  }
  for (const auto& [priority, targets] : by_priority) {
    const std::string field = absl::StrCat("by_priority[", priority, "]");
    if (priority < kHighestPriority || priority > kLowestPriority) {
      violations.push_back({field, "priorities go from 1 (highest) to 4 (lowest)",
                            "приоритеты идут от 1 (высший) до 4 (низший)"});
    }
    CheckTargets(field, targets, TargetsOf(priority), violations);
  }
  CheckTargets("fallback", fallback, fallback, violations);
  CheckTarget("needed_today", needed_today, violations);
  CheckSteps(steps, violations);
  return BadFields(std::move(violations));
}

PriorityTargets SlaPolicy::TargetsOf(int priority) const {
  const auto own = by_priority.find(priority);
  if (own == by_priority.end()) return fallback;
  PriorityTargets targets = own->second;
  if (!targets.first_response.has_value()) targets.first_response = fallback.first_response;
  if (!targets.resolution.has_value()) targets.resolution = fallback.resolution;
  return targets;
}

std::optional<absl::Duration> SlaPolicy::ResolutionTerm(int priority, bool is_needed_today,
                                                        const Calendar& calendar) const {
  std::optional<absl::Duration> term;
  if (const auto target = TargetsOf(priority).resolution) term = WorkingTime(*target, calendar);
  if (is_needed_today && needed_today.has_value()) {
    const absl::Duration today = WorkingTime(*needed_today, calendar);
    term = std::min(term.value_or(today), today);
  }
  return term;
}

std::optional<absl::Duration> SlaPolicy::FirstResponseTerm(int priority,
                                                           const Calendar& calendar) const {
  const auto target = TargetsOf(priority).first_response;
  if (!target.has_value()) return std::nullopt;
  return WorkingTime(*target, calendar);
}

}  // namespace potok::desk
