#include "intake/domain/flow_templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace potok::intake {
namespace {

using ::testing::ElementsAre;

TEST(FlowTemplates, EachCanBePublishedAsItIsOnceItHasAnId) {
  std::vector<std::string> ids;
  std::set<std::string> prefixes;
  for (const FlowTemplate& each : FlowTemplates()) {
    desk::Flow flow = each.flow;
    flow.id = each.id;
    EXPECT_TRUE(desk::ValidateFlow(flow).ok()) << each.id << ": " << desk::ValidateFlow(flow);
    EXPECT_FALSE(flow.name_ru.empty() || flow.name_en.empty()) << each.id;
    EXPECT_FALSE(each.description_ru.empty() || each.description_en.empty()) << each.id;
    for (const desk::FormField& field : flow.form.fields) {
      EXPECT_FALSE(field.label_ru.empty() || field.label_en.empty())
          << each.id << "." << field.name;
      EXPECT_EQ(field.help_ru.empty(), field.help_en.empty()) << each.id << "." << field.name;
    }
    // All six must fit into one installation.
    EXPECT_TRUE(prefixes.insert(flow.prefix).second) << each.id;
    ids.push_back(each.id);
  }
  EXPECT_THAT(ids, ElementsAre("accounting", "facilities", "hr-certificates", "it-support", "leave",
                               "passes"));
}

TEST(FlowTemplates, AnIncomeCertificateNeedsItsPeriodAndAnAddressOnlyByMail) {
  const desk::Form& form = FindFlowTemplate("hr-certificates")->flow.form;
  EXPECT_TRUE(desk::CheckAnswers(form, {{"kind", std::string("2-ndfl")},
                                        {"period", std::string("2025-01-01/2025-12-31")},
                                        {"delivery", std::string("printed")}})
                  .ok());
  EXPECT_FALSE(desk::CheckAnswers(
                   form, {{"kind", std::string("2-ndfl")}, {"delivery", std::string("printed")}})
                   .ok());
  EXPECT_FALSE(desk::CheckAnswers(
                   form, {{"kind", std::string("employment")}, {"delivery", std::string("mail")}})
                   .ok());
  EXPECT_TRUE(desk::CheckAnswers(form, {{"kind", std::string("employment")},
                                        {"delivery", std::string("mail")},
                                        {"address", std::string("ivanova@example.org")}})
                  .ok());
}

TEST(FlowTemplates, AnUnknownIdHasNone) { EXPECT_EQ(FindFlowTemplate("teleportation"), nullptr); }

}  // namespace
}  // namespace potok::intake
