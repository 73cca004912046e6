#include "intake/rpc/convert_flow.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "intake/domain/flow_templates.h"
#include "intake/rpc/patch_flow.h"
#include "ledger/definition_codec.h"
#include "platform/rpc/validate.h"

namespace potok::intake {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Flow SupportOnWire() {
  desk::Flow flow = FindFlowTemplate("it-support")->flow;
  flow.id = "support";
  flow.admins = {"ivanova", "petrov"};
  flow.manager = "sidorov";
  flow.who_may_file = {false, {"it"}, {"petrov"}};
  return ToWire(flow);
}

std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const FieldViolation& each : GetErrorDetail(status).fields) fields.push_back(each.field);
  return fields;
}

TEST(ConvertFlow, WhatGoesOutComesBackTheSame) {
  for (const FlowTemplate& each : FlowTemplates()) {
    desk::Flow flow = each.flow;
    flow.id = each.id;
    EXPECT_EQ(ledger::ToJson(FlowFromWire(ToWire(flow), each.id)), ledger::ToJson(flow)) << each.id;
  }
  const v1::Flow wire = SupportOnWire();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(
      ToWire(FlowFromWire(wire, "support")), wire));
}

TEST(ConvertFlow, WhatGoesOutKeepsTheRulesOfTheProto) {
  // A client may send back what it read; templates must not be refused by the field rules.
  for (const FlowTemplate& each : FlowTemplates()) {
    desk::Flow flow = each.flow;
    flow.id = each.id;
    EXPECT_TRUE(rpc::Validate(ToWire(flow), false).ok())
        << each.id << rpc::Validate(ToWire(flow), false);
  }
}

TEST(ConvertFlow, AFlowWithoutOptionsHasTheShippedDefaults) {
  const desk::Flow flow = FlowFromWire(v1::Flow(), "support");
  EXPECT_EQ(ledger::ToJson(flow), [] {
    desk::Flow defaults;
    defaults.id = "support";
    return ledger::ToJson(defaults);
  }());
}

TEST(ConvertFlow, ViolationsBearTheNamesOfTheWire) {
  desk::Flow flow = FlowFromWire(v1::Flow(), "support");
  flow.prefix = "it";
  flow.options.autoclose_working_days = 0;
  flow.lines = 4;
  EXPECT_THAT(FieldsOf(PublishableFlow(flow)),
              ElementsAre("flow.prefix", "flow.display_name", "flow.sla_policy",
                          "flow.options.auto_close_working_days", "flow.line_count"));
  flow = FlowFromWire(SupportOnWire(), "support");
  flow.sla_policy = "standard";
  flow.form.fields[1].label_ru = std::string(201 * 2, 'x');
  flow.form.fields[2].options.clear();
  EXPECT_THAT(FieldsOf(PublishableFlow(flow)),
              ElementsAre("flow.form_fields[1].label.ru", "flow.form_fields[2].options"));
}

TEST(PatchFlow, OverridesOfATemplateKeepTheRestOfIt) {
  v1::Flow changes;
  changes.mutable_display_name()->set_ru("Поддержка кассиров");
  changes.mutable_options()->set_max_active(7);
  changes.mutable_filing_access()->add_departments("departments/shops");
  changes.set_version(99);  // Output only: ignored.
  const v1::Flow base = ToWire(FindFlowTemplate("it-support")->flow);
  const v1::Flow made = WithSetFields(base, changes);
  EXPECT_EQ(made.display_name().ru(), "Поддержка кассиров");
  EXPECT_EQ(made.display_name().en(), base.display_name().en());
  EXPECT_EQ(made.options().max_active(), 7);
  EXPECT_TRUE(made.options().agent_may_extend_deadline());
  EXPECT_FALSE(made.filing_access().all_employees());
  EXPECT_EQ(made.form_fields_size(), base.form_fields_size());
  EXPECT_EQ(made.version(), base.version());
}

TEST(PatchFlow, AMaskTakesExactlyWhatItNamesAlsoWhenEmpty) {
  v1::Flow changes;
  changes.set_description("new");
  changes.set_project("ignored");
  changes.mutable_options()->set_max_active(9);
  changes.mutable_options()->set_reopen_days(1);
  google::protobuf::FieldMask mask;
  mask.add_paths("description");
  mask.add_paths("admins");
  mask.add_paths("options.max_active");
  const auto made = WithMaskedFields(SupportOnWire(), changes, mask);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->description(), "new");
  EXPECT_EQ(made->project(), SupportOnWire().project());
  EXPECT_EQ(made->admins_size(), 0);
  EXPECT_EQ(made->options().max_active(), 9);
  EXPECT_EQ(made->options().reopen_days(), 14);
}

TEST(PatchFlow, AStarReplacesAllThatMayChange) {
  google::protobuf::FieldMask mask;
  mask.add_paths("*");
  v1::Flow changes;
  changes.mutable_display_name()->set_en("Bare");
  const auto made = WithMaskedFields(SupportOnWire(), changes, mask);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->form_fields_size(), 0);
  EXPECT_EQ(made->display_name().ru(), "");
  EXPECT_EQ(made->prefix(), "IT");
  EXPECT_FALSE(made->has_options());
}

TEST(PatchFlow, UnknownAndReadOnlyPathsAreRefusedByName) {
  for (const char* path : {"name", "version", "prefix", "etag", "create_time", "update_time",
                           "smell", "options.smell", "form_fields.name", ""}) {
    google::protobuf::FieldMask mask;
    mask.add_paths("description");
    mask.add_paths(path);
    const auto made = WithMaskedFields(SupportOnWire(), v1::Flow(), mask);
    EXPECT_EQ(GetErrorDetail(made.status()).reason, "FIELD_MASK_INVALID") << path;
    EXPECT_THAT(std::string(made.status().message()), HasSubstr(path));
  }
}

}  // namespace
}  // namespace potok::intake
