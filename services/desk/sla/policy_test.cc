#include "desk/sla/policy.h"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "desk/calendar/ready_calendars.h"

namespace potok::desk {
namespace {

std::shared_ptr<const Calendar> Office() {
  return *Calendar::Compile(RussianProductionCalendar("ru", "Europe/Moscow"), 2026, 2026);
}

SlaPolicy Support() {
  SlaPolicy policy;
  policy.id = "support";
  policy.calendar_id = "ru";
  policy.by_priority[1] = {Target{Target::kWorkingMinutes, 15}, Target{Target::kWorkingHours, 4}};
  policy.by_priority[2] = {std::nullopt, Target{Target::kWorkingDays, 1}};
  policy.fallback = {Target{Target::kWorkingHours, 2}, Target{Target::kWorkingDays, 2}};
  policy.steps = {{1, absl::ZeroDuration(), EscalationStep::kTellManager},
                  {2, absl::Hours(4), EscalationStep::kNextLine}};
  return policy;
}

TEST(Target, UnitsAreWorkingTimeByTheCalendar) {
  struct Case {
    Target target;
    absl::Duration office;
    absl::Duration around_the_clock;
  };
  const auto office = Office();
  const auto always = *Calendar::Compile(AroundTheClock("24x7", "UTC"), 2026, 2026);
  const Case cases[] = {
      {{Target::kWorkingMinutes, 3}, absl::Minutes(3), absl::Minutes(3)},
      {{Target::kWorkingHours, 4}, absl::Hours(4), absl::Hours(4)},
      {{Target::kWorkingDays, 2}, absl::Hours(16), absl::Hours(48)},
      {{Target::kWorkingMonths, 1}, absl::Hours(21 * 8), absl::Hours(21 * 24)},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(WorkingTime(c.target, *office), c.office);
    EXPECT_EQ(WorkingTime(c.target, *always), c.around_the_clock);
  }
}

TEST(SlaPolicy, EachTargetFallsBackOnItsOwn) {
  const auto office = Office();
  const SlaPolicy policy = Support();
  EXPECT_EQ(policy.FirstResponseTerm(1, *office), absl::Minutes(15));
  EXPECT_EQ(policy.FirstResponseTerm(2, *office), absl::Hours(2));
  EXPECT_EQ(policy.ResolutionTerm(2, false, *office), absl::Hours(8));
  EXPECT_EQ(policy.ResolutionTerm(4, false, *office), absl::Hours(16));
}

TEST(SlaPolicy, NeededTodayCutsTheTermAndNeverLengthensIt) {
  const auto office = Office();
  SlaPolicy policy = Support();
  EXPECT_EQ(policy.ResolutionTerm(4, true, *office), absl::Hours(4));
  policy.by_priority[1].resolution = Target{Target::kWorkingHours, 1};
  EXPECT_EQ(policy.ResolutionTerm(1, true, *office), absl::Hours(1));
  policy.needed_today.reset();
  EXPECT_EQ(policy.ResolutionTerm(4, true, *office), absl::Hours(16));
}

TEST(SlaPolicy, WithoutTargetsNothingIsPromisedUnlessNeededToday) {
  const auto office = Office();
  const SlaPolicy policy;
  EXPECT_EQ(policy.ResolutionTerm(3, false, *office), std::nullopt);
  EXPECT_EQ(policy.FirstResponseTerm(3, *office), std::nullopt);
  EXPECT_EQ(policy.ResolutionTerm(3, true, *office), absl::Hours(4));
}

TEST(SlaPolicy, EachMistakeNamesItsField) {
  ASSERT_TRUE(Support().Validate().ok()) << Support().Validate();
  struct Case {
    const char* what;
    std::function<void(SlaPolicy&)> spoil;
    std::vector<std::string> fields;
  };
  const std::vector<Case> cases = {
      {"no id", [](auto& p) { p.id.clear(); }, {"id"}},
      {"no calendar", [](auto& p) { p.calendar_id.clear(); }, {"calendar_id"}},
      {"priority 0", [](auto& p) { p.by_priority[0]; }, {"by_priority[0]"}},
      {"priority 5", [](auto& p) { p.by_priority[5]; }, {"by_priority[5]"}},
      {"zero term",
       [](auto& p) { p.by_priority[1].resolution->amount = 0; },
       {"by_priority[1].resolution.amount"}},
      {"term of decades",
       [](auto& p) {
         p.fallback.resolution = Target{Target::kWorkingMonths, 37};
       },
       {"fallback.resolution.amount"}},
      {"needed in no time", [](auto& p) { p.needed_today->amount = -1; }, {"needed_today.amount"}},
      {"answer after resolution",
       [](auto& p) {
         p.by_priority[1].first_response = Target{Target::kWorkingHours, 5};
       },
       {"by_priority[1].first_response"}},
      {"inherited answer after resolution",
       [](auto& p) {
         p.by_priority[3].resolution = Target{Target::kWorkingMinutes, 90};
       },
       {"by_priority[3].first_response"}},
      {"levels out of order", [](auto& p) { p.steps[1].level = 3; }, {"steps[1].level"}},
      {"step before the one before it",
       [](auto& p) { p.steps[0].after_breach = absl::Hours(5); },
       {"steps[1].after_breach"}},
      {"step before the breach",
       [](auto& p) { p.steps[0].after_breach = -absl::Minutes(1); },
       {"steps[0].after_breach"}},
      {"too many steps",
       [](auto& p) {
         p.steps.clear();
         for (int level = 1; level <= 11; ++level)
           p.steps.push_back({level, absl::Hours(level), {}});
       },
       {"steps"}},
  };
  for (const Case& c : cases) {
    SlaPolicy policy = Support();
    c.spoil(policy);
    std::vector<std::string> fields;
    for (const FieldViolation& violation : GetErrorDetail(policy.Validate()).fields)
      fields.push_back(violation.field);
    EXPECT_EQ(fields, c.fields) << c.what;
  }
}

}  // namespace
}  // namespace potok::desk
