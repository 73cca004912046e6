// What must hold for every filter: random sound ones, random soups of tokens, random bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "desk/filter/evaluate.h"
#include "desk/filter/filter.h"
#include "desk/filter/test_catalog.h"

namespace potok::desk {
namespace {

constexpr unsigned kFilters = 5000;
// Canonical text may be longer than what the user wrote (quotes, full times).
constexpr FilterLimits kRoomy = {.bytes = 1 << 16, .terms = 32, .depth = 8};

TEST(EveryFilter, CanonicalTextParsesToTheSameFilterAndIsStable) {
  unsigned sound = 0;
  for (unsigned seed = 0; seed < kFilters; ++seed) {
    FilterTexts texts(seed);
    int budget = 10;
    const std::string text = texts.Expression(0, budget);
    const auto filter = ParseFilter(text, TestCatalog());
    if (!filter.ok()) continue;  // `=` or `<` drawn for a type that lacks it, or too many terms.
    ++sound;
    const std::string canonical = CanonicalText(*filter);
    const auto again = ParseFilter(canonical, TestCatalog(), kRoomy);
    ASSERT_TRUE(again.ok()) << text << "\n" << canonical << "\n" << again.status();
    ASSERT_EQ(*again, *filter) << text << "\n" << canonical;
    ASSERT_EQ(CanonicalText(*again), canonical);
  }
  EXPECT_GT(sound, kFilters * 9 / 10);
}

TEST(EveryFilter, AndItsNegationSplitTheRows) {
  for (unsigned seed = 0; seed < kFilters; ++seed) {
    FilterTexts texts(seed);
    int budget = 6;
    const std::string text = texts.Expression(3, budget);
    const auto filter = ParseFilter(text, TestCatalog());
    const auto negated = ParseFilter("NOT (" + text + ")", TestCatalog());
    if (!filter.ok() || !negated.ok()) continue;
    for (int i = 0; i < 8; ++i) {
      const TestCells cells = texts.Row();
      ASSERT_NE(Evaluate(BindMe(*filter, "petrov"), RowOf(cells)),
                Evaluate(BindMe(*negated, "petrov"), RowOf(cells)))
          << text;
    }
  }
}

TEST(EveryPair, JoinsAsLogicSays) {
  for (unsigned seed = 0; seed < kFilters; ++seed) {
    FilterTexts texts(seed);
    int budget = 5;
    const std::string a = texts.Expression(4, budget);
    budget = 5;
    const std::string b = texts.Expression(4, budget);
    const auto fa = ParseFilter(a, TestCatalog());
    const auto fb = ParseFilter(b, TestCatalog());
    const auto both = ParseFilter("(" + a + ") AND (" + b + ")", TestCatalog());
    const auto any = ParseFilter("(" + a + ") OR (" + b + ")", TestCatalog());
    // b stays whole: after a sequence, AND joins its factors to it all the same.
    const auto beside = ParseFilter(a + " " + b, TestCatalog());
    if (!fa.ok() || !fb.ok() || !both.ok() || !any.ok() || !beside.ok()) continue;
    for (int i = 0; i < 8; ++i) {
      const TestCells cells = texts.Row();
      const FilterRow row = RowOf(cells);
      const bool left = Evaluate(*fa, row);
      const bool right = Evaluate(*fb, row);
      ASSERT_EQ(Evaluate(*both, row), left && right) << a << " / " << b;
      ASSERT_EQ(Evaluate(*beside, row), left && right) << a << " / " << b;
      ASSERT_EQ(Evaluate(*any, row), left || right) << a << " / " << b;
    }
  }
}

void ExpectAnswerOrGoodError(const std::string& text) {
  const auto filter = ParseFilter(text, TestCatalog());
  if (filter.ok()) {
    const auto again = ParseFilter(CanonicalText(*filter), TestCatalog(), kRoomy);
    ASSERT_TRUE(again.ok()) << text << "\n" << CanonicalText(*filter) << "\n" << again.status();
    ASSERT_EQ(*again, *filter) << text;
    return;
  }
  const ErrorDetail detail = GetErrorDetail(filter.status());
  ASSERT_EQ(detail.reason, "FILTER_INVALID") << text;
  ASSERT_TRUE(CountUtf8(detail.fields.at(0).en).has_value()) << text;
  ASSERT_TRUE(CountUtf8(detail.fields.at(0).ru).has_value());
  ASSERT_LT(detail.fields[0].en.size() + detail.fields[0].ru.size(), 2500u);
  const int position = std::stoi(detail.metadata.at("position"));
  ASSERT_GE(position, 1);
  ASSERT_LE(static_cast<size_t>(position), text.size() + 1);
}

TEST(AnyText, SoupOfTokensIsParsedOrRefusedWell) {
  const std::vector<std::string> tokens = {
      "(",        ")",         "AND",         "OR",     "NOT",
      "-",        "=",         "!=",          "<",      "<=",
      ">",        ">=",        ":",           ",",      "*",
      "\"",       "'",         "\\",          " ",      " ",
      " ",        "state",     "title",       "rating", "tags",
      "due_time", "term",      "assignee",    "QUEUED", "5",
      "-5",       "true",      "\"x\"",       "'я*'",   "2026-03-31T12:00:00Z",
      "1h",       "overdue()", "assignedTo(", "me",     "employees/",
      "\xd0\xb9", "\xff",      "!",           "."};
  std::mt19937 random(7);
  for (int i = 0; i < 60000; ++i) {
    std::string text;
    for (unsigned n = random() % 14; n > 0; --n) text += tokens[random() % tokens.size()];
    ExpectAnswerOrGoodError(text);
    if (HasFatalFailure()) return;
  }
}

TEST(AnyText, RandomBytesAndMutatedFiltersAreParsedOrRefusedWell) {
  std::mt19937 random(11);
  for (unsigned i = 0; i < 30000; ++i) {
    std::string text;
    if (i % 2 == 0) {
      text.resize(random() % 40);
      for (char& c : text) c = static_cast<char>(random() % 256);
    } else {
      FilterTexts texts(i);
      int budget = 8;
      text = texts.Expression(0, budget);
      for (int k = 0; k < 2; ++k) {
        const size_t at = random() % text.size();
        switch (random() % 3) {
          case 0: text[at] = static_cast<char>(random() % 128); break;
          case 1: text.erase(at, 1); break;
          default: text.insert(at, 1, "()\"*\\ -:="[random() % 9]); break;
        }
        if (text.empty()) text = "x";
      }
    }
    ExpectAnswerOrGoodError(text);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace potok::desk
