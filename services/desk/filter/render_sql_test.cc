#include "desk/filter/render_sql.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "desk/filter/test_catalog.h"

namespace potok::desk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SqlMap TestMap() {
  SqlMap map;
  map.columns["state"] = {"t.state", "", {}};
  map.columns["priority"] = {
      "t.priority", "smallint", {{"LOW", "4"}, {"NORMAL", "3"}, {"HIGH", "2"}, {"CRITICAL", "1"}}};
  for (const char* name : {"assignee", "title", "number", "rating", "score", "needed_today",
                           "create_time", "term", "tags", "watchers"}) {
    map.columns[name] = {std::string("t.") + name, "", {}};
  }
  map.columns["due_time"] = {"t.due_at", "", {}};
  map.functions["overdue"] = "t.due_at < {now} AND t.closed_at IS NULL";
  map.functions["assignedTo"] = "t.assignee = {0}";
  map.functions["within"] = "t.due_at BETWEEN {0} AND {0} + {1}";
  map.named["now"] = {"2026-03-31T12:00:00Z", "timestamptz"};
  return map;
}

SqlCondition Sql(const std::string& text, int first = 1) {
  const auto filter = ParseFilter(text, TestCatalog());
  EXPECT_TRUE(filter.ok()) << filter.status();
  const auto condition = RenderSql(BindMe(*filter, "ivanova"), TestMap(), first);
  EXPECT_TRUE(condition.ok()) << condition.status();
  return condition.value_or(SqlCondition{});
}

struct Golden {
  const char* filter;
  const char* sql;
  std::vector<std::string> params;
};

class GoldenSql : public testing::TestWithParam<Golden> {};

TEST_P(GoldenSql, IsText) {
  const SqlCondition condition = Sql(GetParam().filter);
  EXPECT_EQ(condition.text, GetParam().sql);
  EXPECT_EQ(condition.params, GetParam().params);
}

INSTANTIATE_TEST_SUITE_P(
    Sql, GoldenSql,
    testing::Values(
        Golden{"", "TRUE", {}}, Golden{"state = QUEUED", "(t.state = $1::text)", {"QUEUED"}},
        Golden{"state != QUEUED", "(t.state IS DISTINCT FROM $1::text)", {"QUEUED"}},
        Golden{"priority = HIGH", "(t.priority = $1::smallint)", {"2"}},
        Golden{"priority >= HIGH", "(t.priority IN ($1::smallint, $2::smallint))", {"2", "1"}},
        Golden{"priority > CRITICAL", "(FALSE)", {}},
        Golden{"assignee = me", "(t.assignee = $1::text)", {"ivanova"}},
        Golden{"rating <= 3", "(t.rating <= $1::bigint)", {"3"}},
        Golden{"score > 1.5", "(t.score > $1::double precision)", {"1.5"}},
        Golden{"needed_today = true", "(t.needed_today = $1::boolean)", {"true"}},
        Golden{"due_time < 2026-03-31T15:00:00+03:00",
               "(t.due_at < $1::timestamptz)",
               {"2026-03-31T12:00:00.000000+00"}},
        Golden{"term > 90s", "(t.term > $1::interval)", {"90000000 microseconds"}},
        Golden{"title = \"50%_*\"", "(t.title LIKE $1::text)", {"50\\%\\_%"}},
        Golden{"title = \"*\\\\x\"", "(t.title LIKE $1::text)", {"%\\\\x"}},
        Golden{"title != \"*a*\"", "((t.title LIKE $1::text) IS NOT TRUE)", {"%a%"}},
        Golden{"title:a", "(t.title ILIKE $1::text)", {"%a%"}},
        Golden{"title:*", "(t.title <> '')", {}}, Golden{"tags:*", "(cardinality(t.tags) > 0)", {}},
        Golden{"rating:*", "(t.rating IS NOT NULL)", {}},
        Golden{"tags:vip", "($1::text = ANY(t.tags))", {"vip"}},
        Golden{"a", "(t.number ILIKE $1::text OR t.title ILIKE $1::text)", {"%a%"}},
        Golden{"assignedTo(me)", "(t.assignee = $1::text)", {"ivanova"}},
        Golden{"overdue()",
               "(t.due_at < $1::timestamptz AND t.closed_at IS NULL)",
               {"2026-03-31T12:00:00Z"}},
        Golden{"rating=1 AND rating=2 OR -rating=3",
               "((t.rating = $1::bigint) AND ((t.rating = $2::bigint) OR "
               "((t.rating = $3::bigint) IS NOT TRUE)))",
               {"1", "2", "3"}}));

TEST(RenderSql, NumbersPlaceholdersFromWhereTheCallerIs) {
  EXPECT_EQ(Sql("rating = 1 rating = 2", 7).text,
            "((t.rating = $7::bigint) AND (t.rating = $8::bigint))");
}

TEST(RenderSql, MapThatLacksAFieldIsOurBugNotTheUsers) {
  const auto filter = ParseFilter("fields.period = x", TestCatalog());
  EXPECT_EQ(RenderSql(*filter, TestMap()).status().code(), absl::StatusCode::kInternal);
  const auto me = ParseFilter("assignee = me", TestCatalog());
  EXPECT_EQ(RenderSql(*me, TestMap()).status().code(), absl::StatusCode::kInternal);
  SqlMap broken = TestMap();
  for (const char* text : {"t.x = {1}", "t.x = {", "t.x = }{", "{later}", "{}"}) {
    broken.functions["assignedTo"] = text;
    const auto call = ParseFilter("assignedTo(petrov)", TestCatalog());
    EXPECT_EQ(RenderSql(*call, broken).status().code(), absl::StatusCode::kInternal) << text;
  }
}

// Whatever stands in a value, it may reach the database only as a parameter.
TEST(Injection, NoValueEverBecomesSqlText) {
  const std::vector<std::string> corpus = {"' OR '1'='1",
                                           "'; DROP TABLE ledger.ticket; --",
                                           "\\'; SELECT pg_sleep(10); --",
                                           "1) OR (1=1",
                                           "$1",
                                           "$1::text",
                                           "x' UNION SELECT usename FROM pg_user --",
                                           "%' OR TRUE --",
                                           "*/ OR 1=1 /*",
                                           "E'\\x27'",
                                           "U&'\\0027'",
                                           "$$x$$",
                                           "\xC2\xBF\xCA\xBC OR 1=1",
                                           "{now}",
                                           "{0}",
                                           "ʼ OR ʼ1ʼ=ʼ1",
                                           "0x27",
                                           "CHR(39)",
                                           "t.state",
                                           "\n;--",
                                           "\";\"",
                                           "NULL",
                                           "ivanova'--"};
  const std::string plain = Sql("title = \"x\"").text;
  const std::string contains = Sql("title:\"x\"").text;
  const std::string search = Sql("\"x\"").text;
  const std::string resource = Sql("assignee = \"x\"").text;
  const std::string has = Sql("tags:\"x\"").text;
  const std::string call = Sql("assignedTo(\"x\")").text;
  for (const std::string& attack : corpus) {
    std::string quoted = "\"";
    for (const char c : attack) {
      if (c == '"' || c == '\\' || c == '*') quoted += '\\';
      quoted += c;
    }
    quoted += '"';
    EXPECT_EQ(Sql("title = " + quoted).text, plain);
    EXPECT_THAT(Sql("title = " + quoted).params, ElementsAre(attack));
    EXPECT_EQ(Sql("title:" + quoted).text, contains);
    EXPECT_EQ(Sql(quoted).text, search);
    EXPECT_EQ(Sql("tags:" + quoted).text, has);
    if (attack.find('/') == std::string::npos) {
      EXPECT_EQ(Sql("assignee = " + quoted).text, resource);
      EXPECT_EQ(Sql("assignedTo(" + quoted + ")").text, call);
    }
    // As a bare text it is refused or harmless, never SQL.
    const auto bare = ParseFilter("title = " + attack + " " + attack, TestCatalog());
    if (bare.ok()) {
      const auto condition = RenderSql(BindMe(*bare, "x"), TestMap());
      ASSERT_TRUE(condition.ok());
      EXPECT_THAT(condition->text, ::testing::Not(HasSubstr("DROP")));
    }
    EXPECT_FALSE(ParseFilter(attack + " = 1", TestCatalog()).ok()) << attack;
  }
}

TEST(Injection, TextHasOnlyCharactersOfTheTrustedMapAndPlaceholders) {
  const std::string allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$:()=<>, '";
  for (unsigned seed = 0; seed < 3000; ++seed) {
    FilterTexts texts(seed);
    int budget = 12;
    const auto filter = ParseFilter(texts.Expression(0, budget), TestCatalog());
    if (!filter.ok()) continue;
    const auto condition = RenderSql(BindMe(*filter, "'; DROP TABLE x; --"), TestMap());
    ASSERT_TRUE(condition.ok()) << condition.status();
    EXPECT_EQ(condition->text.find_first_not_of(allowed), std::string::npos) << condition->text;
    EXPECT_EQ(std::count(condition->text.begin(), condition->text.end(), '\'') % 2, 0);
    for (size_t i = 1; i <= condition->params.size(); ++i) {
      EXPECT_THAT(condition->text, HasSubstr("$" + std::to_string(i) + "::"));
    }
    EXPECT_EQ(condition->text.find("$" + std::to_string(condition->params.size() + 1)),
              std::string::npos);
  }
}

}  // namespace
}  // namespace potok::desk
