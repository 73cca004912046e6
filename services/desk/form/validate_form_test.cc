#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "base/error.h"
#include "desk/form/form.h"

namespace potok::desk {
namespace {

using ::testing::HasSubstr;

FormField Field(std::string name, FormField::Type type) {
  FormField field;
  field.name = std::move(name);
  field.type = type;
  field.label_en = "Label";
  if (type == FormField::kEnum || type == FormField::kMultiEnum) {
    field.options = {{"a", "А", "A"}, {"b", "Б", "B"}};
  }
  return field;
}

// The form of the certificate flow with one change: each rule has a line in the table below.
Form Sound() {
  Form form;
  form.fields = {Field("kind", FormField::kEnum),        Field("title", FormField::kText),
                 Field("copies", FormField::kNumber),    Field("printed", FormField::kBool),
                 Field("extras", FormField::kMultiEnum), Field("period", FormField::kDateRange),
                 Field("day", FormField::kDate),         Field("boss", FormField::kEmployee),
                 Field("scan", FormField::kFile)};
  form.fields[1].pattern = "[0-9]{3}-[0-9]{2}";
  form.fields[1].min = 1;
  form.fields[1].max = 20;
  form.fields[2].default_value = "1";
  form.fields[2].min = 1;
  form.fields[2].max = 5;
  form.fields[4].default_value = "a,b";
  form.fields[7].shown_if = ShownIf{"printed", {"true"}};
  form.fields[8].shown_if = ShownIf{"kind", {"a", "b"}};
  return form;
}

TEST(ValidateForm, SoundFormPasses) {
  EXPECT_EQ(ValidateForm(Sound()), absl::OkStatus());
  EXPECT_EQ(ValidateForm(Form{}), absl::OkStatus());
}

struct BadForm {
  const char* name;
  void (*change)(Form&);
  const char* path;
  const char* says;
};

class ValidateFormTable : public testing::TestWithParam<BadForm> {};

TEST_P(ValidateFormTable, NamesTheFaultInBothLanguages) {
  Form form = Sound();
  GetParam().change(form);
  const absl::Status status = ValidateForm(form);
  ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const ErrorDetail detail = GetErrorDetail(status);
  EXPECT_EQ(detail.reason, "INVALID_FIELD");
  ASSERT_FALSE(detail.fields.empty());
  EXPECT_EQ(detail.fields[0].field, GetParam().path);
  EXPECT_THAT(detail.fields[0].en, HasSubstr(GetParam().says));
  EXPECT_FALSE(detail.fields[0].ru.empty());
  EXPECT_NE(detail.fields[0].ru, detail.fields[0].en);
}

INSTANTIATE_TEST_SUITE_P(
    Form, ValidateFormTable,
    testing::Values(
        BadForm{"TooManyFields", [](Form& f) { f.fields.resize(61); }, "flow.form.fields",
                "at most 60"},
        BadForm{"BadName", [](Form& f) { f.fields[0].name = "Kind"; }, "flow.form.fields[0].name",
                "begins with a letter"},
        BadForm{"DuplicateName", [](Form& f) { f.fields[6].name = "period"; },
                "flow.form.fields[6].name", "is taken"},
        BadForm{"NoLabel", [](Form& f) { f.fields[0].label_en = ""; }, "flow.form.fields[0].label",
                "needs a label"},
        BadForm{"LongLabel", [](Form& f) { f.fields[0].label_ru = std::string(201, 'x'); },
                "flow.form.fields[0].label_ru", "at most 200"},
        BadForm{"LabelNotUtf8", [](Form& f) { f.fields[0].help_en = "\xff"; },
                "flow.form.fields[0].help_en", "UTF-8"},
        BadForm{"EnumWithoutOptions", [](Form& f) { f.fields[0].options.clear(); },
                "flow.form.fields[0].options", "at least one option"},
        BadForm{"TextWithOptions",
                [](Form& f) {
                  f.fields[1].options = {{"a", "", ""}};
                },
                "flow.form.fields[1].options", "remove"},
        BadForm{"TooManyOptions", [](Form& f) { f.fields[0].options.resize(201); },
                "flow.form.fields[0].options", "at most 200"},
        BadForm{"OptionTwice", [](Form& f) { f.fields[0].options[1].value = "a"; },
                "flow.form.fields[0].options[1].value", "twice"},
        BadForm{"OptionWithComma", [](Form& f) { f.fields[0].options[1].value = "a,b"; },
                "flow.form.fields[0].options[1].value", "without commas"},
        BadForm{"PatternUnreadable", [](Form& f) { f.fields[1].pattern = "(["; },
                "flow.form.fields[1].pattern", "RE2"},
        BadForm{"PatternNotUtf8", [](Form& f) { f.fields[1].pattern = "\xff"; },
                "flow.form.fields[1].pattern", "UTF-8"},
        BadForm{"PatternLookahead", [](Form& f) { f.fields[1].pattern = "(?=a)b"; },
                "flow.form.fields[1].pattern", "RE2"},
        BadForm{"PatternTooLarge", [](Form& f) { f.fields[1].pattern = "(a{1000}){1000}"; },
                "flow.form.fields[1].pattern", ""},
        BadForm{"PatternTooLong", [](Form& f) { f.fields[1].pattern = std::string(501, 'a'); },
                "flow.form.fields[1].pattern", "at most 500"},
        BadForm{"PatternOfNumber", [](Form& f) { f.fields[2].pattern = "1"; },
                "flow.form.fields[2].pattern", "only a text field"},
        BadForm{"BoundOfBool", [](Form& f) { f.fields[3].min = 1; }, "flow.form.fields[3].min",
                "no bounds"},
        BadForm{"BoundNotFinite", [](Form& f) { f.fields[2].max = 1.0 / 0.0; },
                "flow.form.fields[2].max", "finite"},
        BadForm{"LengthNegative", [](Form& f) { f.fields[1].min = -1; }, "flow.form.fields[1].min",
                "whole number"},
        BadForm{"LengthBroken", [](Form& f) { f.fields[1].max = 1.5; }, "flow.form.fields[1].max",
                "whole number"},
        BadForm{"TextTooLong", [](Form& f) { f.fields[1].max = 20001; }, "flow.form.fields[1].max",
                "at most 20000"},
        BadForm{"MinAboveMax", [](Form& f) { f.fields[2].min = 6; }, "flow.form.fields[2].min",
                "above max (5)"},
        BadForm{"MinAboveTheDefaultMax",
                [](Form& f) {
                  f.fields[1].min = 5000;
                  f.fields[1].max = std::nullopt;
                },
                "flow.form.fields[1].min", "above max (4000)"},
        BadForm{"DefaultOutOfRange", [](Form& f) { f.fields[2].default_value = "6"; },
                "flow.form.fields[2].default_value", "from 1 to 5"},
        BadForm{"DefaultNotInList", [](Form& f) { f.fields[4].default_value = "a,z"; },
                "flow.form.fields[4].default_value", "not in the list"},
        BadForm{"ShownIfUnknown", [](Form& f) { f.fields[7].shown_if->field = "nothing"; },
                "flow.form.fields[7].shown_if.field", "no field"},
        BadForm{"ShownIfOnText", [](Form& f) { f.fields[7].shown_if->field = "title"; },
                "flow.form.fields[7].shown_if.field", "bool, enum"},
        BadForm{"ShownIfWithoutValues", [](Form& f) { f.fields[7].shown_if->values.clear(); },
                "flow.form.fields[7].shown_if.values", "at least one value"},
        BadForm{"ShownIfImpossible", [](Form& f) { f.fields[7].shown_if->values = {"yes"}; },
                "flow.form.fields[7].shown_if.values", "can never be"},
        BadForm{"ShownIfItself",
                [](Form& f) {
                  f.fields[0].shown_if = ShownIf{"kind", {"a"}};
                },
                "flow.form.fields[0].shown_if.field", "circle"},
        BadForm{"ShownIfCircle",
                [](Form& f) {
                  f.fields[0].shown_if = ShownIf{"printed", {"true"}};
                  f.fields[3].shown_if = ShownIf{"extras", {"a"}};
                  f.fields[4].shown_if = ShownIf{"kind", {"a"}};
                },
                "flow.form.fields[0].shown_if.field", "circle"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ValidateForm, ReportsAllFaultsAtOnce) {
  Form form = Sound();
  form.fields[0].options.clear();
  form.fields[1].pattern = "([";
  form.fields[8].shown_if.reset();
  EXPECT_EQ(GetErrorDetail(ValidateForm(form)).fields.size(), 2u);
}

}  // namespace
}  // namespace potok::desk
