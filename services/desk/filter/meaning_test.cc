#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "desk/filter/evaluate.h"
#include "desk/filter/filter.h"
#include "desk/filter/test_catalog.h"

namespace potok::desk {
namespace {

bool Holds(const std::string& text, const TestCells& cells) {
  const auto filter = ParseFilter(text, TestCatalog());
  EXPECT_TRUE(filter.ok()) << text << ": " << filter.status();
  return filter.ok() && Evaluate(BindMe(*filter, "ivanova"), RowOf(cells));
}

const TestCells& Full() {
  static const TestCells* cells = new TestCells{
      {"state", std::string("QUEUED")},
      {"priority", std::string("HIGH")},
      {"assignee", std::string("ivanova")},
      {"title", std::string("Принтер не печатает")},
      {"number", std::string("IT-000042")},
      {"rating", int64_t{4}},
      {"score", 2.5},
      {"needed_today", true},
      {"due_time", absl::FromUnixSeconds(1774958400)},  // 2026-03-31T12:00:00Z
      {"term", absl::Hours(4)},
      {"tags", std::vector<std::string>{"vip", "urgent"}},
      {"watchers", std::vector<std::string>{"petrov"}},
  };
  return *cells;
}

TEST(Meaning, OfEachOperatorOnARowThatHasEverything) {
  for (const auto& [text, expected] : std::vector<std::pair<const char*, bool>>{
           {"", true},
           {"state = QUEUED", true},
           {"state != QUEUED", false},
           {"state = (ASSIGNED OR QUEUED)", true},
           {"priority > NORMAL", true},
           {"priority > HIGH", false},
           {"priority >= HIGH", true},
           {"priority < CRITICAL", true},
           {"priority <= NORMAL", false},
           {"priority < LOW", false},
           {"assignee = me", true},
           {"assignee = petrov", false},
           {"assignedTo(me)", true},
           {"assignedTo(petrov)", false},
           {"title = \"Принтер*\"", true},
           {"title = \"принтер*\"", false},
           {"title = \"*печатает\"", true},
           {"title = \"* не *\"", true},
           {"title != \"*не*\"", false},
           {"title:ПРИНТЕР", true},
           {"title:\"не ПЕЧ\"", true},
           {"title:сканер", false},
           {"печатает", true},
           {"it-000042", true},
           {"сканер", false},
           {"rating >= 4 rating <= 4", true},
           {"rating < 4", false},
           {"rating != 4", false},
           {"score > 2.4", true},
           {"needed_today = true", true},
           {"needed_today != true", false},
           {"due_time <= \"2026-03-31T15:00:00+03:00\"", true},
           {"due_time < \"2026-03-31T15:00:00+03:00\"", false},
           {"term = 240m", true},
           {"term > 4h", false},
           {"tags:vip", true},
           {"tags:(vip AND it)", false},
           {"watchers:employees/petrov", true},
           {"watchers:me", false},
           {"tags:* AND title:* AND rating:*", true},
           {"overdue() AND NOT rating = 1", true},
           // OR first: true only because it is QUEUED AND (1 OR 4).
           {"state = CLOSED AND rating = 1 OR rating = 4", false},
           {"(state = CLOSED AND rating = 1) OR rating = 4", true},
       }) {
    EXPECT_EQ(Holds(text, Full()), expected) << text;
  }
}

TEST(Meaning, AbsentValuesSatisfyOnlyNotEqual) {
  const TestCells empty;
  for (const char* field : {"state = QUEUED", "priority < HIGH", "assignee = me", "title = \"*\"",
                            "title:x", "rating > 0", "rating <= 0", "score = 0",
                            "needed_today = false", "due_time > 2026-03-31T12:00:00Z", "term < 1h",
                            "tags:vip", "tags:*", "title:*", "assignee:*", "x"}) {
    EXPECT_FALSE(Holds(field, empty)) << field;
    EXPECT_TRUE(Holds(std::string("NOT ") + field, empty)) << field;
  }
  for (const char* field :
       {"state != QUEUED", "assignee != me", "title != \"a*\"", "rating != 1"}) {
    EXPECT_TRUE(Holds(field, empty)) << field;
  }
}

TEST(Meaning, EmptyTextAndListAreNotPresent) {
  const TestCells cells = {{"title", std::string()}, {"tags", std::vector<std::string>{}}};
  EXPECT_FALSE(Holds("title:*", cells));
  EXPECT_FALSE(Holds("tags:*", cells));
  EXPECT_TRUE(Holds("title = \"\"", cells));
}

TEST(FoldCase, CoversRussianAndKeepsBrokenBytes) {
  EXPECT_EQ(FoldCase("ЁЖИК Straße ÀÉ ΑΩ IT"), "ёжик straße àé αω it");
  EXPECT_EQ(FoldCase("A\xff"
                     "B"),
            "a\xff"
            "b");
  EXPECT_EQ(FoldCase("😀"), "😀");
}

}  // namespace
}  // namespace potok::desk
