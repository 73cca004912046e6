#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "desk/form/field_text.h"
#include "desk/form/form.h"

namespace potok::desk {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using List = std::vector<std::string>;

FormField Field(std::string name, FormField::Type type, std::string ru, std::string en) {
  FormField field;
  field.name = std::move(name);
  field.type = type;
  field.label_ru = std::move(ru);
  field.label_en = std::move(en);
  return field;
}

// "Справка 2-НДФЛ": what for, for which months, by mail or printed, and if printed, how many.
Form Certificate() {
  Form form;
  FormField kind = Field("kind", FormField::kEnum, "Вид справки", "Kind");
  kind.required = true;
  kind.options = {{"2ndfl", "2-НДФЛ", "Income"}, {"work", "С места работы", "Employment"}};
  FormField period = Field("period", FormField::kDateRange, "Период", "Period");
  period.required = true;
  period.max = 366;
  period.shown_if = ShownIf{"kind", {"2ndfl"}};
  FormField delivery = Field("delivery", FormField::kMultiEnum, "Как получить", "Delivery");
  delivery.options = {{"mail", "Почтой", "Mail"}, {"print", "На бумаге", "Printed"}};
  delivery.default_value = "mail";
  FormField copies = Field("copies", FormField::kNumber, "Экземпляров", "Copies");
  copies.required = true;
  copies.min = 1;
  copies.max = 5;
  copies.shown_if = ShownIf{"delivery", {"print"}};
  FormField inn = Field("inn", FormField::kText, "ИНН", "Tax number");
  inn.pattern = "[0-9]{12}";
  inn.help_ru = "12 цифр";
  form.fields = {copies, kind, period, delivery, inn};  // Dependence before its controller.
  return form;
}

List BadPaths(const absl::StatusOr<Answers>& result) {
  List out;
  for (const FieldViolation& violation : GetErrorDetail(result.status()).fields) {
    out.push_back(violation.field);
  }
  return out;
}

TEST(CheckAnswers, FillsDefaultsAndDropsHiddenFields) {
  const auto answers =
      CheckAnswers(Certificate(), {{"kind", "work"}, {"period", "garbage"}, {"copies", 99.0}});
  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_EQ(*answers, (Answers{{"kind", "work"}, {"delivery", List{"mail"}}}));
}

TEST(CheckAnswers, ShownFieldsAreRequired) {
  const auto answers = CheckAnswers(Certificate(), {{"kind", "2ndfl"}, {"delivery", "print,mail"}});
  EXPECT_EQ(answers.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetErrorDetail(answers.status()).reason, "FORM_FIELD_INVALID");
  EXPECT_THAT(BadPaths(answers), ElementsAre("fields.copies", "fields.period"));
}

TEST(CheckAnswers, ViolationNamesTheLimitAndTheWayOutInBothLanguages) {
  const auto answers = CheckAnswers(Certificate(), {{"kind", "справка"}, {"inn", "12345"}});
  const ErrorDetail detail = GetErrorDetail(answers.status());
  ASSERT_EQ(detail.fields.size(), 2u);
  EXPECT_THAT(detail.fields[0].en, AllOf(HasSubstr("Kind"), HasSubstr("\"справка\""),
                                         HasSubstr("one of: 2ndfl (Income), work (Employment)")));
  EXPECT_THAT(detail.fields[0].ru, AllOf(HasSubstr("«Вид справки»"),
                                         HasSubstr("2ndfl (2-НДФЛ), work (С места работы)")));
  EXPECT_THAT(detail.fields[1].ru, AllOf(HasSubstr("[0-9]{12}"), HasSubstr("12 цифр")));
  EXPECT_THAT(detail.ru, HasSubstr("Вид справки"));
}

TEST(CheckAnswers, FieldsBehindABadControllerAreNotJudged) {
  const auto answers = CheckAnswers(Certificate(), {{"kind", "?"}, {"period", "garbage"}});
  EXPECT_THAT(BadPaths(answers), ElementsAre("fields.kind"));
}

TEST(CheckAnswers, UnknownFieldIsAViolationThatListsTheKnownOnes) {
  Answers given = {{"kind", "work"}, {"colour", "red"}};
  const auto answers = CheckAnswers(Certificate(), given);
  ASSERT_THAT(BadPaths(answers), ElementsAre("fields.colour"));
  EXPECT_THAT(GetErrorDetail(answers.status()).fields[0].en,
              HasSubstr("copies, kind, period, delivery, inn"));
  for (int i = 0; i < 5000; ++i) given["x" + std::to_string(i) + "\xff"] = true;
  EXPECT_LE(BadPaths(CheckAnswers(Certificate(), given)).size(), 5u);
}

TEST(CheckAnswers, NoAnswerIsTheSameAsAnEmptyOne) {
  Form form;
  form.fields = {Field("note", FormField::kText, "Заметка", "Note"),
                 Field("files", FormField::kFile, "Файлы", "Files")};
  for (const FieldValue& empty : {FieldValue{}, FieldValue{"  "}, FieldValue{List{}}}) {
    EXPECT_EQ(*CheckAnswers(form, {{"note", empty}, {"files", empty}}), Answers{});
  }
  form.fields[0].required = true;
  EXPECT_THAT(BadPaths(CheckAnswers(form, {{"note", "  "}})), ElementsAre("fields.note"));
}

struct ValueCase {
  FormField::Type type;
  FieldValue given;
  std::optional<FieldValue> normal;  // Nothing: refused.
};

class FieldTypes : public testing::TestWithParam<ValueCase> {};

TEST_P(FieldTypes, AcceptsNormalisesOrRefuses) {
  FormField field = Field("f", GetParam().type, "Поле", "Field");
  if (field.type == FormField::kEnum || field.type == FormField::kMultiEnum) {
    field.options = {{"a", "", ""}, {"b", "", ""}, {"c", "", ""}};
  }
  if (field.type == FormField::kMultiEnum || field.type == FormField::kFile) field.max = 2;
  if (field.type == FormField::kNumber) field.min = -5, field.max = 10.5;
  if (field.type == FormField::kText) field.min = 2, field.max = 5;
  if (field.type == FormField::kDateRange) field.min = 2, field.max = 31;
  Form form;
  form.fields = {field};
  ASSERT_EQ(ValidateForm(form), absl::OkStatus());
  const auto answers = CheckAnswers(form, {{"f", GetParam().given}});
  if (!GetParam().normal.has_value()) {
    EXPECT_THAT(BadPaths(answers), ElementsAre("fields.f"));
    return;
  }
  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_EQ(answers->at("f"), *GetParam().normal);
  EXPECT_EQ(*CheckAnswers(form, *answers), *answers) << "normalising twice";
  EXPECT_EQ(*CheckAnswers(form, {{"f", AnswerText(answers->at("f"))}}), *answers) << "as text";
}

INSTANTIATE_TEST_SUITE_P(
    Values, FieldTypes,
    testing::Values(
        ValueCase{FormField::kText, "привет", std::nullopt},
        ValueCase{FormField::kText, "приве", "приве"},
        ValueCase{FormField::kText, "п", std::nullopt},
        ValueCase{FormField::kText, "\xff\xfe", std::nullopt},
        ValueCase{FormField::kText, std::string("a\0b", 3), std::nullopt},
        ValueCase{FormField::kText, "\xc0\x80 ", std::nullopt},       // Overlong NUL.
        ValueCase{FormField::kText, "\xed\xa0\x80 a", std::nullopt},  // Lone surrogate.
        ValueCase{FormField::kText, 12.0, std::nullopt},
        ValueCase{FormField::kText, List{"ab"}, std::nullopt},
        ValueCase{FormField::kNumber, 3.0, 3.0}, ValueCase{FormField::kNumber, "3,5", 3.5},
        ValueCase{FormField::kNumber, " 10.5 ", 10.5},
        ValueCase{FormField::kNumber, 10.6, std::nullopt},
        ValueCase{FormField::kNumber, "-5.1", std::nullopt},
        ValueCase{FormField::kNumber, "1.2.3", std::nullopt},
        ValueCase{FormField::kNumber, "nan", std::nullopt},
        ValueCase{FormField::kNumber, "inf", std::nullopt},
        ValueCase{FormField::kNumber, -0.0, 0.0}, ValueCase{FormField::kNumber, true, std::nullopt},
        ValueCase{FormField::kBool, true, true}, ValueCase{FormField::kBool, "false", false},
        ValueCase{FormField::kBool, "да", std::nullopt},
        ValueCase{FormField::kBool, 1.0, std::nullopt}, ValueCase{FormField::kEnum, "a", "a"},
        ValueCase{FormField::kEnum, "A", std::nullopt},
        ValueCase{FormField::kEnum, List{"a"}, std::nullopt},
        ValueCase{FormField::kMultiEnum, List({"c", "a", "c"}), List({"a", "c"})},
        ValueCase{FormField::kMultiEnum, "c, a", List({"a", "c"})},
        ValueCase{FormField::kMultiEnum, List({"a", "b", "c"}), std::nullopt},
        ValueCase{FormField::kMultiEnum, List{"z"}, std::nullopt},
        ValueCase{FormField::kDate, "2026-03-31", "2026-03-31"},
        ValueCase{FormField::kDate, "2026-02-29", std::nullopt},
        ValueCase{FormField::kDate, "2024-02-29", "2024-02-29"},
        ValueCase{FormField::kDate, "31.03.2026", std::nullopt},
        ValueCase{FormField::kDate, "2026-3-31", std::nullopt},
        ValueCase{FormField::kDate, "0000-01-01", std::nullopt},
        ValueCase{FormField::kDateRange, "2026-01-01/2026-01-31", "2026-01-01/2026-01-31"},
        ValueCase{FormField::kDateRange, "2026-01-01/2026-02-01", std::nullopt},
        ValueCase{FormField::kDateRange, "2026-01-01/2026-01-01", std::nullopt},
        ValueCase{FormField::kDateRange, "2026-01-31/2026-01-01", std::nullopt},
        ValueCase{FormField::kDateRange, "2026-01-31", std::nullopt},
        ValueCase{FormField::kEmployee, "ivanova", "employees/ivanova"},
        ValueCase{FormField::kEmployee, "employees/ivanova", "employees/ivanova"},
        ValueCase{FormField::kEmployee, "employees/", std::nullopt},
        ValueCase{FormField::kEmployee, "flows/it", std::nullopt},
        ValueCase{FormField::kFile, List({"x1", "attachments/x1"}), List{"attachments/x1"}},
        ValueCase{FormField::kFile, "x1", List{"attachments/x1"}},
        ValueCase{FormField::kFile, List({"x1", "x2", "x3"}), std::nullopt},
        ValueCase{FormField::kFile, List{"../etc/passwd"}, std::nullopt}));

TEST(CheckAnswers, HostileAnswerToANastyPatternIsLinear) {
  Form form;
  form.fields = {Field("f", FormField::kText, "Поле", "Field")};
  form.fields[0].pattern = "(a+)+b";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(CheckAnswers(form, {{"f", std::string(4000, 'a')}}).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST(CheckAnswers, LongAnswerIsQuotedShortAndBetweenCharacters) {
  std::string wide;
  for (int i = 0; i < 5000; ++i) wide += "ж";
  Form form;
  form.fields = {Field("f", FormField::kDate, "Дата", "Date")};
  const ErrorDetail detail = GetErrorDetail(CheckAnswers(form, {{"f", wide}}).status());
  ASSERT_EQ(detail.fields.size(), 1u);
  EXPECT_LT(detail.fields[0].en.size(), 300u);
  EXPECT_TRUE(CountCharacters(detail.fields[0].en).has_value());
}

TEST(CheckAnswers, LongListOfOptionsIsCutInTheMessage) {
  Form form;
  form.fields = {Field("f", FormField::kEnum, "Выбор", "Choice")};
  for (int i = 0; i < 200; ++i) form.fields[0].options.push_back({"v" + std::to_string(i), "", ""});
  const ErrorDetail detail = GetErrorDetail(CheckAnswers(form, {{"f", "?"}}).status());
  EXPECT_THAT(detail.fields[0].en, AllOf(HasSubstr("v19 and 180 more"), Not(HasSubstr("v20"))));
}

TEST(CheckAnswers, AnyBytesGiveAnAnswerOrViolationsInValidText) {
  std::mt19937 random(1);
  const auto bytes = [&] {
    std::string out(random() % 12, ' ');
    for (char& c : out) c = static_cast<char>(random() % 256);
    return out;
  };
  const Form form = Certificate();
  for (int i = 0; i < 20000; ++i) {
    Answers given;
    for (const FormField& field : form.fields) {
      switch (random() % 6) {
        case 0: given[field.name] = bytes(); break;
        case 1: given[field.name] = List{bytes(), bytes()}; break;
        case 2: given[field.name] = static_cast<double>(random()); break;
        case 3: given[field.name] = random() % 2 == 0; break;
        case 4: given[bytes()] = bytes(); break;
        default: break;
      }
    }
    const auto answers = CheckAnswers(form, given);
    if (answers.ok()) {
      ASSERT_EQ(*CheckAnswers(form, *answers), *answers);
      continue;
    }
    for (const FieldViolation& violation : GetErrorDetail(answers.status()).fields) {
      ASSERT_TRUE(CountCharacters(violation.field).has_value());
      ASSERT_TRUE(CountCharacters(violation.en).has_value()) << violation.field;
      ASSERT_TRUE(CountCharacters(violation.ru).has_value());
    }
  }
}

}  // namespace
}  // namespace potok::desk
