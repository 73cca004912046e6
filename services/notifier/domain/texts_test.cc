#include "notifier/domain/texts.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "notifier/domain/notice_facts.h"
#include "notifier/domain/rules.h"

namespace potok::notifier {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Time kNow =
    absl::FromUnixSeconds(1794819600);  // Monday 16 November 2026, 09:00 UTC.

NoticeFacts Facts() {
  NoticeFacts facts;
  facts.name = "Иванова Анна";
  facts.zone = "Europe/Moscow";
  facts.ticket_id = "0190";
  facts.number = "HR-000017";
  facts.title = "Справка 2-НДФЛ";
  facts.flow_ru = "Справки";
  facts.flow_en = "Certificates";
  facts.requester = "Анна Иванова";
  facts.holder = "Вера Кузьмина";
  facts.former = "Вера Кузьмина";
  facts.actor = "Олег Белов";
  facts.at = kNow;
  facts.due_at = kNow + absl::Hours(54);
  facts.closes_at = kNow + absl::Hours(72);
  facts.score = 2;
  facts.returns = 2;
  facts.line = 1;
  facts.next_line = 2;
  facts.priority = 2;
  return facts;
}

Text Rendered(const Texts& texts, absl::string_view rule, const char* locale,
              const NoticeFacts& facts, absl::string_view words = "Нужен период") {
  const absl::StatusOr<Text> text = texts.Render(
      rule, locale, ValuesOf(facts, locale, words, "https://portal.example.org/", kNow));
  EXPECT_TRUE(text.ok()) << rule << " " << locale << ": " << text.status();
  return text.value_or(Text{});
}

TEST(Texts, EveryRuleReadsWellInBothLanguages) {
  const Texts texts = *Texts::Create();
  for (const Rule& rule : Rules()) {
    for (const char* locale : {"ru", "en"}) {
      const Text text = Rendered(texts, rule.name, locale, Facts());
      SCOPED_TRACE(absl::StrCat(locale, " ", rule.name, ": ", text.title, "\n", text.body));
      EXPECT_TRUE(absl::StartsWith(text.title, "Анна, "));
      EXPECT_THAT(text.title, HasSubstr("«Справка 2-НДФЛ»"));
      EXPECT_TRUE(absl::EndsWith(text.title, "(HR-000017)"));
      EXPECT_THAT(text.body, HasSubstr("https://portal.example.org/tickets/0190"));
      for (const char* hole : {"{{", "}}", "\n\n\n", "  ", " .", " ,", "()", "«»"}) {
        EXPECT_THAT(text.title, Not(HasSubstr(hole)));
        EXPECT_THAT(text.body, Not(HasSubstr(hole)));
      }
    }
  }
}

TEST(Texts, NothingOptionalIsNeeded) {
  const Texts texts = *Texts::Create();
  for (const Rule& rule : Rules()) {
    for (const char* locale : {"ru", "en"}) {
      NoticeFacts facts = Facts();
      const bool promise = rule.event == desk::EventType::kBreached ||
                           rule.event == desk::EventType::kFirstResponseBreached;
      if (!promise) facts.due_at.reset();
      if (absl::EndsWith(rule.name, "_responsible")) facts.holder.clear();
      facts.closes_at.reset();
      facts.returns = facts.next_line = 0;
      const absl::StatusOr<Text> text =
          texts.Render(rule.name, locale, ValuesOf(facts, locale, "", "", kNow));
      ASSERT_TRUE(text.ok()) << text.status();
      EXPECT_GT(text->body.size(), 1u) << rule.name;
      EXPECT_THAT(text->body, Not(HasSubstr("\n\n\n"))) << rule.name;
    }
  }
}

TEST(Texts, TheConfirmationNamesPersonSubjectAndPromiseThenTheNumber) {
  const Texts texts = *Texts::Create();
  EXPECT_EQ(Rendered(texts, "created_requester", "ru", Facts()).title,
            "Анна, заявка «Справка 2-НДФЛ» принята, обещаем до среды 18 ноября 18:00 (HR-000017)");
  EXPECT_EQ(Rendered(texts, "created_requester", "en", Facts()).title,
            "Анна, your request «Справка 2-НДФЛ» is accepted, promised by Wednesday 18 November, "
            "18:00 (HR-000017)");
}

TEST(Texts, TimesAreOnTheClockOfTheRecipient) {
  const Texts texts = *Texts::Create();
  NoticeFacts facts = Facts();
  facts.zone = "Asia/Vladivostok";
  EXPECT_THAT(Rendered(texts, "created_requester", "ru", facts).title,
              HasSubstr("до четверга 19 ноября 01:00"));
}

TEST(Texts, ScoresAreCountedAsPeopleCount) {
  const Texts texts = *Texts::Create();
  NoticeFacts facts = Facts();
  facts.score = 1;
  EXPECT_THAT(Rendered(texts, "rated_low_responsible", "ru", facts).title, HasSubstr("1 балл:"));
  facts.score = 5;
  EXPECT_THAT(Rendered(texts, "rated_former_assignee", "ru", facts).title, HasSubstr("5 баллов"));
}

TEST(Texts, WordsOfPeopleAreNeitherTagsNorMarkupNorMoreLinesOfATitle) {
  const Texts texts = *Texts::Create();
  NoticeFacts facts = Facts();
  facts.title = "{{number}} <b>\r\nBcc: all@example.org";
  const Text text = Rendered(texts, "commented_requester", "ru", facts, "a < b && {{#link}}");
  EXPECT_THAT(text.title, HasSubstr("«{{number}} <b> Bcc: all@example.org»"));
  EXPECT_EQ(text.title.find_first_of("\r\n"), std::string::npos);
  EXPECT_THAT(text.body, HasSubstr("a < b && {{#link}}"));
}

TEST(Texts, AMissingVariableIsAnErrorThatNamesIt) {
  const Texts texts = *Texts::Create();
  NoticeFacts facts = Facts();
  facts.name.clear();
  const absl::StatusOr<Text> text =
      texts.Render("created_requester", "ru", ValuesOf(facts, "ru", "", "", kNow));
  EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(text.status().message()), HasSubstr("variable name is missing"));
  EXPECT_EQ(texts.Render("no_such_rule", "ru", {}).status().code(), absl::StatusCode::kNotFound);
}

TEST(Texts, OwnTextsReplaceBuiltInOnesAndAreCheckedBeforeTheyAreUsed) {
  const absl::StatusOr<Texts> own =
      Texts::Create({{"ru/created_requester", "Принято: {{subject}}\n\n{{number}}"}});
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(Rendered(*own, "created_requester", "ru", Facts()).title, "Принято: Справка 2-НДФЛ");
  for (const char* bad :
       {"{{nobody}}", "{{#due_until}} open", "{{/due_until}}", "{{> file}}", "{{{name}}}", "{{name",
        "{{}}", "{{#a}}{{/b}}", "{{#due_until}}title\ntext{{/due_until}}"}) {
    EXPECT_EQ(Texts::Create({{"ru/created_requester", bad}}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
  EXPECT_FALSE(Texts::Create({{"ru/created_requestor", "x"}}).ok());
}

TEST(Texts, EveryTemplateBelongsToARuleAndEveryRuleHasBoth) {
  std::set<std::string> expected, found;
  for (const Rule& rule : Rules()) {
    for (const char* locale : {"ru/", "en/"}) expected.insert(absl::StrCat(locale, rule.name));
  }
  for (const TemplateSource& source : BuiltInTemplates()) found.insert(std::string(source.name));
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace potok::notifier
