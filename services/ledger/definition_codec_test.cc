#include "ledger/definition_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <tuple>

#include "desk/calendar/ready_calendars.h"

namespace potok::ledger {
namespace {

using ::testing::HasSubstr;

auto Fields(const desk::FlowOptions& o) {
  return std::tie(o.agent_may_extend, o.half_term_reminder, o.requester_accepts,
                  o.autoclose_working_days, o.overload_threshold, o.max_active,
                  o.working_hours_only, o.reopen_days);
}
auto Fields(const desk::HealthThresholds& h) {
  return std::tie(h.yellow_on_time_percent, h.red_on_time_percent, h.yellow_oldest_wait_minutes,
                  h.red_oldest_wait_minutes);
}
bool Same(const desk::Flow& a, const desk::Flow& b) {
  const auto fields = [](const desk::Flow& f) {
    return std::tie(f.id, f.version, f.name_ru, f.name_en, f.description, f.knowledge_link,
                    f.project, f.prefix, f.form, f.who_may_file.all, f.who_may_file.departments,
                    f.who_may_file.employees, f.mode, f.sla_policy, f.admins, f.manager, f.lines);
  };
  return fields(a) == fields(b) && Fields(a.options) == Fields(b.options) &&
         Fields(a.health) == Fields(b.health);
}
bool Same(const desk::SlaPolicy& a, const desk::SlaPolicy& b) {
  const auto fields = [](const desk::SlaPolicy& p) {
    return std::tie(p.id, p.version, p.name, p.calendar_id, p.by_priority, p.fallback,
                    p.needed_today, p.half_term_reminder, p.steps);
  };
  return fields(a) == fields(b);
}
bool Same(const desk::CalendarDefinition& a, const desk::CalendarDefinition& b) {
  if (std::tie(a.id, a.version, a.name, a.zone, a.week) !=
          std::tie(b.id, b.version, b.name, b.zone, b.week) ||
      a.exceptions.size() != b.exceptions.size()) {
    return false;
  }
  for (size_t i = 0; i < a.exceptions.size(); ++i) {
    const auto fields = [](const desk::DayException& e) {
      return std::tie(e.date, e.kind, e.name_ru, e.name_en, e.hours, e.swapped_with);
    };
    if (fields(a.exceptions[i]) != fields(b.exceptions[i])) return false;
  }
  return true;
}

rc::Gen<std::string> Text() {
  return rc::gen::element<std::string>("", "a", "Справка 2-НДФЛ", "\"quoted\" \\ back",
                                       "line\nbreak", "эмодзи 🧾", "null", "{}");
}
rc::Gen<std::vector<std::string>> Texts() {
  return rc::gen::container<std::vector<std::string>>(Text());
}
std::optional<double> MaybeBound() {
  if (!*rc::gen::arbitrary<bool>()) return std::nullopt;
  return *rc::gen::inRange(-100000, 100000) / 8.0;
}
desk::FormField AnyField() {
  desk::FormField field;
  field.name = *Text();
  field.type =
      static_cast<desk::FormField::Type>(*rc::gen::inRange<int>(0, desk::FormField::kFile + 1));
  field.label_ru = *Text();
  field.label_en = *Text();
  field.help_ru = *Text();
  field.help_en = *Text();
  field.required = *rc::gen::arbitrary<bool>();
  for (const std::string& value : *Texts()) field.options.push_back({value, *Text(), *Text()});
  field.pattern = *Text();
  field.min = MaybeBound();
  field.max = MaybeBound();
  field.default_value = *Text();
  if (*rc::gen::arbitrary<bool>()) field.shown_if = desk::ShownIf{*Text(), *Texts()};
  return field;
}
desk::Flow AnyFlow() {
  const auto number = [] { return *rc::gen::inRange(-5, 100000); };
  const auto flag = [] { return *rc::gen::arbitrary<bool>(); };
  desk::Flow flow;
  flow.id = *Text();
  flow.version = number();
  flow.name_ru = *Text();
  flow.name_en = *Text();
  flow.description = *Text();
  flow.knowledge_link = *Text();
  flow.project = *Text();
  flow.prefix = *Text();
  const int fields = *rc::gen::inRange(0, 4);
  for (int i = 0; i < fields; ++i) flow.form.fields.push_back(AnyField());
  flow.who_may_file = {flag(), *Texts(), *Texts()};
  flow.mode = static_cast<desk::DistributionMode>(*rc::gen::inRange(0, 5));
  flow.sla_policy = *Text();
  flow.options = {flag(), flag(), flag(), number(), number(), number(), flag(), number()};
  flow.health = {number(), number(), number(), number()};
  flow.admins = *Texts();
  flow.manager = *Text();
  flow.lines = number();
  return flow;
}

RC_GTEST_PROP(DefinitionCodec, FlowReadsBackAsWritten, ()) {
  const desk::Flow flow = AnyFlow();
  const auto read = FlowFromJson(ToJson(flow));
  RC_ASSERT(read.ok());
  RC_ASSERT(Same(*read, flow));
  RC_ASSERT(ToJson(*read) == ToJson(flow));
}

std::optional<desk::Target> MaybeTarget() {
  if (!*rc::gen::arbitrary<bool>()) return std::nullopt;
  return desk::Target{static_cast<desk::Target::Unit>(*rc::gen::inRange(0, 4)),
                      *rc::gen::inRange(0, 10000)};
}

RC_GTEST_PROP(DefinitionCodec, PolicyReadsBackAsWritten, ()) {
  desk::SlaPolicy policy;
  policy.id = *Text();
  policy.version = *rc::gen::inRange(1, 100);
  policy.name = *Text();
  policy.calendar_id = *Text();
  for (int priority = 1; priority <= 4; ++priority) {
    if (*rc::gen::arbitrary<bool>()) policy.by_priority[priority] = {MaybeTarget(), MaybeTarget()};
  }
  policy.fallback = {MaybeTarget(), MaybeTarget()};
  policy.needed_today = MaybeTarget();
  policy.half_term_reminder = *rc::gen::arbitrary<bool>();
  const int steps = *rc::gen::inRange(0, 4);
  for (int i = 0; i < steps; ++i) {
    policy.steps.push_back({i + 1,
                            absl::Microseconds(*rc::gen::inRange<int64_t>(0, int64_t{1} << 50)),
                            static_cast<desk::EscalationStep::Action>(*rc::gen::inRange(0, 2))});
  }
  const auto read = PolicyFromJson(ToJson(policy));
  RC_ASSERT(read.ok());
  RC_ASSERT(Same(*read, policy));
}

RC_GTEST_PROP(DefinitionCodec, CalendarReadsBackAsWritten, ()) {
  const auto hours = [] {
    std::vector<desk::DayInterval> out;
    const int count = *rc::gen::inRange(0, 3);
    for (int i = 0; i < count; ++i) {
      out.push_back({*rc::gen::inRange(0, 1440), *rc::gen::inRange(0, 1441)});
    }
    return out;
  };
  const auto day = [] { return absl::CivilDay(1970) + *rc::gen::inRange(0, 40000); };
  desk::CalendarDefinition calendar;
  calendar.id = *Text();
  calendar.version = *rc::gen::inRange(1, 100);
  calendar.name = *Text();
  calendar.zone = *Text();
  for (auto& each : calendar.week) each = hours();
  const int exceptions = *rc::gen::inRange(0, 4);
  for (int i = 0; i < exceptions; ++i) {
    desk::DayException exception;
    exception.date = day();
    exception.kind = static_cast<desk::DayException::Kind>(*rc::gen::inRange(0, 5));
    exception.name_ru = *Text();
    exception.name_en = *Text();
    if (*rc::gen::arbitrary<bool>()) exception.hours = hours();
    if (*rc::gen::arbitrary<bool>()) exception.swapped_with = day();
    calendar.exceptions.push_back(std::move(exception));
  }
  const auto read = CalendarFromJson(ToJson(calendar));
  RC_ASSERT(read.ok());
  RC_ASSERT(Same(*read, calendar));
}

RC_GTEST_PROP(DefinitionCodec, AnswersReadBackAsWritten, ()) {
  desk::Answers answers;
  for (const std::string& name : *Texts()) {
    switch (*rc::gen::inRange(0, 5)) {
      case 0: answers[name] = std::monostate{}; break;
      case 1: answers[name] = *rc::gen::arbitrary<bool>(); break;
      case 2: answers[name] = *rc::gen::inRange(-1000000, 1000000) / 64.0; break;
      case 3: answers[name] = *Text(); break;
      default: answers[name] = *Texts();
    }
  }
  const auto read = AnswersFromJson(ToJson(answers));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == answers);
}

TEST(DefinitionCodec, ShippedCalendarSurvivesStorage) {
  const auto calendar = desk::RussianProductionCalendar("ru", "Europe/Moscow");
  const auto read = CalendarFromJson(ToJson(calendar));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(Same(*read, calendar));
}

TEST(DefinitionCodec, AKeyOfANewerVersionIsIgnoredAndAMissingOneTakesTheDefault) {
  const auto flow =
      FlowFromJson(R"({"id":"it","prefix":"IT","smell":"roses","options":{"max_active":7}})");
  ASSERT_TRUE(flow.ok()) << flow.status();
  EXPECT_EQ(flow->options.max_active, 7);
  EXPECT_EQ(flow->options.reopen_days, desk::FlowOptions{}.reopen_days);
  const auto policy = PolicyFromJson(R"({"id":"standard"})");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->needed_today, (desk::Target{desk::Target::kWorkingHours, 4}));
}

TEST(DefinitionCodec, WhatCannotBeReadIsAnErrorThatSaysWhat) {
  EXPECT_THAT(std::string(FlowFromJson("{").status().message()), HasSubstr("stored flow"));
  EXPECT_THAT(std::string(FlowFromJson(R"({"mode":"by_lot"})").status().message()),
              HasSubstr("by_lot"));
  EXPECT_FALSE(FlowFromJson("[]").ok());
  EXPECT_FALSE(FlowFromJson(R"({"form":[{"type":"hologram"}]})").ok());
  EXPECT_FALSE(FlowFromJson(R"({"version":"one"})").ok());
  EXPECT_FALSE(CalendarFromJson(R"({"week":[[]]})").ok());
  EXPECT_FALSE(CalendarFromJson(R"({"exceptions":[{"date":"soon","kind":"holiday"}]})").ok());
  EXPECT_FALSE(PolicyFromJson(R"({"by_priority":{"high":{}}})").ok());
  EXPECT_FALSE(PolicyFromJson(R"({"fallback":{"resolution":{"unit":"moons","amount":1}}})").ok());
  EXPECT_FALSE(AnswersFromJson(R"({"kind":{"nested":1}})").ok());
  EXPECT_FALSE(AnswersFromJson("3").ok());
}

}  // namespace
}  // namespace potok::ledger
