#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "base/error.h"
#include "desk/filter/filter.h"
#include "desk/filter/test_catalog.h"

namespace potok::desk {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Golden {
  const char* text;
  const char* canonical;
};

class GoldenFilters : public testing::TestWithParam<Golden> {};

TEST_P(GoldenFilters, HaveOneSpellingThatParsesToTheSameFilter) {
  const auto filter = ParseFilter(GetParam().text, TestCatalog());
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(CanonicalText(*filter), GetParam().canonical);
  const auto again = ParseFilter(CanonicalText(*filter), TestCatalog());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *filter);
}

INSTANTIATE_TEST_SUITE_P(
    Filter, GoldenFilters,
    testing::Values(
        Golden{"", ""}, Golden{" \n\t ", ""}, Golden{"state=QUEUED", "state = QUEUED"},
        Golden{"state = \"QUEUED\"", "state = QUEUED"},
        // OR binds tighter than AND; juxtaposition is AND.
        Golden{"state=QUEUED AND rating=1 OR rating=2",
               "state = QUEUED AND rating = 1 OR rating = 2"},
        Golden{"rating=1 OR rating=2 state=QUEUED", "rating = 1 OR rating = 2 AND state = QUEUED"},
        Golden{"(state=QUEUED AND rating=1) OR rating=2",
               "(state = QUEUED AND rating = 1) OR rating = 2"},
        Golden{"((rating=1)) AND (rating=2 AND (rating=3))",
               "rating = 1 AND rating = 2 AND rating = 3"},
        Golden{"rating=1 OR (rating=2 OR rating=3)", "rating = 1 OR rating = 2 OR rating = 3"},
        Golden{"NOT rating=1", "NOT rating = 1"}, Golden{"-rating=1", "NOT rating = 1"},
        Golden{"-(rating=1 OR rating=2)", "NOT (rating = 1 OR rating = 2)"},
        Golden{"NOT(rating=1)", "NOT rating = 1"},
        Golden{"NOT (NOT rating=1)", "NOT (NOT rating = 1)"},
        // Lists of values.
        Golden{"state = (QUEUED OR ASSIGNED)", "state = QUEUED OR state = ASSIGNED"},
        Golden{"tags:(vip AND it) state=CLOSED", "tags:\"vip\" AND tags:\"it\" AND state = CLOSED"},
        // Each type.
        Golden{"rating >= -5", "rating >= -5"}, Golden{"rating:4", "rating = 4"},
        Golden{"score<1.50", "score < 1.5"}, Golden{"score=-0", "score = 0"},
        Golden{"needed_today=true", "needed_today = true"},
        Golden{"due_time < \"2026-03-31T15:00:00+03:00\"",
               "due_time < \"2026-03-31T12:00:00+00:00\""},
        Golden{"due_time < 2026-03-31T15:00:00.123456789+03:00",
               "due_time < \"2026-03-31T12:00:00.123456+00:00\""},
        Golden{"term>90m", "term > 1h30m"}, Golden{"term > -1.5s", "term > -1.5s"},
        Golden{"priority>=HIGH", "priority >= HIGH"},
        Golden{"assignee = employees/ivanova", "assignee = \"ivanova\""},
        Golden{"assignee:me", "assignee = \"me\""},
        Golden{"watchers:\"employees/x\"", "watchers:\"x\""},
        Golden{"title = принтер", "title = \"принтер\""},
        Golden{"title = 'a\"b'", "title = \"a\\\"b\""},
        Golden{"title = \"at*\"", "title = \"at*\""}, Golden{"title = *at", "title = \"*at\""},
        Golden{"title != \"*a*\"", "title != \"*a*\""},
        Golden{"title = \"a\\*\"", "title = \"a\\*\""},
        Golden{"title = \"a*b\"", "title = \"a\\*b\""}, Golden{"title=\"\"", "title = \"\""},
        Golden{"title:'не печатает'", "title:\"не печатает\""}, Golden{"title:*", "title:*"},
        Golden{"title:\"*\"", "title:*"}, Golden{"fields.period=x", "fields.period = \"x\""},
        // Functions and free words.
        Golden{"overdue()", "overdue()"}, Golden{"assignedTo( \"me\" )", "assignedTo(\"me\")"},
        Golden{"within(2026-03-31T12:00:00Z, 1h)", "within(\"2026-03-31T12:00:00+00:00\", 1h)"},
        Golden{"принтер IT-000001", "\"принтер\" AND \"IT-000001\""},
        Golden{"-\"не печатает\"", "NOT \"не печатает\""}));

TEST(ParseFilter, TypedTreeOfAnExample) {
  const auto filter = ParseFilter("priority > NORMAL AND -assignee:me", TestCatalog());
  ASSERT_TRUE(filter.ok());
  const FilterNode& root = filter->root[0];
  EXPECT_EQ(root.kind, FilterNode::Kind::kAnd);
  ASSERT_EQ(root.children.size(), 2u);
  EXPECT_EQ(root.children[0].op, CompareOp::kGt);
  EXPECT_EQ(root.children[0].among, (std::vector<std::string>{"HIGH", "CRITICAL"}));
  EXPECT_EQ(root.children[1].kind, FilterNode::Kind::kNot);
  EXPECT_EQ(root.children[1].children[0].values[0], FilterValue{Me{}});
}

TEST(BindMe, PutsTheCallerEverywhere) {
  const auto filter =
      ParseFilter("assignee=me OR (-watchers:me AND assignedTo(me))", TestCatalog());
  ASSERT_TRUE(filter.ok());
  EXPECT_EQ(CanonicalText(BindMe(*filter, "ivanova")),
            "assignee = \"ivanova\" OR (NOT watchers:\"ivanova\" AND assignedTo(\"ivanova\"))");
}

struct Refused {
  const char* text;
  const char* position;
  const char* says;
};

class RefusedFilters : public testing::TestWithParam<Refused> {};

TEST_P(RefusedFilters, NameThePositionAndTheWayOut) {
  const auto filter = ParseFilter(GetParam().text, TestCatalog());
  ASSERT_FALSE(filter.ok()) << CanonicalText(*filter);
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument);
  const ErrorDetail detail = GetErrorDetail(filter.status());
  EXPECT_EQ(detail.reason, "FILTER_INVALID");
  EXPECT_EQ(detail.metadata.at("position"), GetParam().position);
  ASSERT_EQ(detail.fields.size(), 1u);
  EXPECT_EQ(detail.fields[0].field, "filter");
  EXPECT_THAT(detail.fields[0].en, HasSubstr(GetParam().says));
  EXPECT_THAT(detail.fields[0].ru, HasSubstr("знак"));
}

INSTANTIATE_TEST_SUITE_P(
    Filter, RefusedFilters,
    testing::Values(
        Refused{"colour = red", "1", "fields: state, priority, assignee"},
        Refused{"state = QUEUED AND colour = red", "20", "no field \"colour\""},
        Refused{"title = \"принтер\" colour=1", "19", "no field"},  // Characters, not bytes.
        Refused{"state = OPEN", "9", "one of: QUEUED, ASSIGNED, CLOSED"},
        Refused{"state > QUEUED", "7", "use = != :"}, Refused{"title < a", "7", "use = != :"},
        Refused{"tags = vip", "6", "use :"}, Refused{"rating = many", "10", "whole number"},
        Refused{"rating = 1.5", "10", "whole number"}, Refused{"rating = 5*", "10", "wildcard"},
        Refused{"rating = 99999999999999999999", "10", "whole number"},
        Refused{"score = nan", "9", "a number"}, Refused{"score = 1e999", "9", "a number"},
        Refused{"needed_today = yes", "16", "true or false"},
        Refused{"needed_today", "1", "needs a comparison"},
        Refused{"due_time < tomorrow", "12", "2026-03-31T12:00:00+03:00"},
        Refused{"due_time < \"2026-03-31\"", "12", "with an offset"},
        Refused{"due_time < \"infinite-future\"", "12", "with an offset"},
        Refused{"due_time < 2026-03-31T12:00:00", "12", "with an offset"},
        Refused{"term > long", "8", "1h30m"}, Refused{"term > inf", "8", "1h30m"},
        Refused{"assignee = flows/it", "12", "employees/ID"},
        Refused{"assignee = \"employees/\"", "12", "or \"me\""},
        Refused{"state =", "8", "a value for state"},
        Refused{"state = AND", "9", "a value for state"},
        Refused{"state = = QUEUED", "9", "a value"},
        Refused{"= QUEUED", "1", "a condition is expected"},
        Refused{"state = QUEUED AND", "19", "a condition is expected"},
        Refused{"AND state = QUEUED", "1", "a condition is expected"},
        Refused{"state = QUEUED OR OR rating=1", "19", "a condition is expected"},
        Refused{"NOT NOT rating=1", "5", "a condition is expected"},
        Refused{"state = QUEUED and rating = 1", "16", "capitals"},
        Refused{"(state = QUEUED", "1", "never closed"},
        Refused{"state = QUEUED)", "15", "closes nothing"},
        Refused{"()", "2", "a condition is expected"},
        Refused{"state = (QUEUED", "9", "never closed"}, Refused{"state = ()", "10", "a value"},
        Refused{"state = (QUEUED, CLOSED)", "16", "closing"},
        Refused{"tags:(a OR b AND c)", "14", "not by both"},
        Refused{"title = \"abc", "9", "never closed"},
        Refused{"title = \"a\\n\"", "11", "backslash"},
        Refused{"title = \"a\\", "9", "never closed"}, Refused{"!state = QUEUED", "1", "NOT"},
        Refused{"\"state\" = QUEUED", "1", "not put in quotes"},
        Refused{"late()", "1", "functions: overdue, assignedTo"},
        Refused{"overdue(1)", "9", "takes 0 argument"},
        Refused{"assignedTo()", "12", "takes 1 argument"},
        Refused{"assignedTo(\"a\", \"b\")", "15", "takes 1 argument"},
        Refused{"assignedTo(a*)", "12", "takes 1 argument"},
        Refused{"overdue(", "8", "never closed"}, Refused{"title:\"\"", "7", "empty"},
        Refused{"\"\"", "1", "empty"}, Refused{"title = \"\xff\"", "10", "UTF-8"},
        Refused{"\xd0", "1", "UTF-8"}, Refused{",", "1", "a condition is expected"},
        Refused{"*", "1", "empty"}));

TEST(Limits, TwoKibibytesThirtyTwoTermsDepthEight) {
  const FieldCatalog catalog = TestCatalog();
  const std::string frame = "title = \"\"";
  EXPECT_TRUE(
      ParseFilter("title = \"" + std::string(2048 - frame.size(), 'x') + "\"", catalog).ok());
  EXPECT_THAT(
      std::string(ParseFilter("title = \"" + std::string(2049 - frame.size(), 'x') + "\"", catalog)
                      .status()
                      .message()),
      HasSubstr("at most 2048"));

  std::string terms = "rating=1";
  for (int i = 1; i < 32; ++i) terms += i % 2 == 0 ? " rating=1" : " OR overdue()";
  EXPECT_TRUE(ParseFilter(terms, catalog).ok());
  EXPECT_THAT(std::string(ParseFilter(terms + " x", catalog).status().message()),
              HasSubstr("more than 32"));

  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '(') + "rating=1" +
           std::string(static_cast<size_t>(depth), ')');
  };
  EXPECT_TRUE(ParseFilter(nested(8), catalog).ok());
  EXPECT_THAT(std::string(ParseFilter(nested(9), catalog).status().message()),
              HasSubstr("more than 8"));
  EXPECT_FALSE(ParseFilter(nested(1000), catalog).ok());
  EXPECT_TRUE(ParseFilter("NOT (NOT (NOT (NOT rating=1)))", catalog).ok());
  EXPECT_FALSE(ParseFilter("NOT (NOT (NOT (NOT (NOT rating=1))))", catalog).ok());
}

TEST(Limits, ErrorTextsStaySmall) {
  const auto filter = ParseFilter(absl::StrCat(std::string(2000, 'y'), " = 1"), TestCatalog());
  const ErrorDetail detail = GetErrorDetail(filter.status());
  EXPECT_LT(detail.fields[0].en.size() + detail.fields[0].ru.size(), 1000u);
}

TEST(Catalog, WithoutSearchFieldsFreeWordsAreRefused) {
  FieldCatalog catalog = TestCatalog();
  catalog.search_fields.clear();
  EXPECT_THAT(std::string(ParseFilter("принтер", catalog).status().message()),
              AllOf(HasSubstr("field = value"), HasSubstr("fields: state")));
}

}  // namespace
}  // namespace potok::desk
