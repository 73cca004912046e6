// The filter language: whatever people write is refused well or means the same in every form it
// takes.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "desk/filter/evaluate.h"
#include "desk/filter/filter.h"
#include "desk/filter/order_by.h"
#include "desk/filter/render_sql.h"
#include "desk/filter/test_catalog.h"
#include "fuzz/target.h"

namespace potok::fuzz {
namespace {

using desk::Filter;

// Canonical text may be longer than what was written (quotes, full times).
constexpr desk::FilterLimits kRoomy = {.bytes = 1 << 16, .terms = 32, .depth = 8};

const desk::FieldCatalog& Catalog() {
  static const auto& catalog = *new desk::FieldCatalog(desk::TestCatalog());
  return catalog;
}

const desk::SqlMap& Columns() {
  static const auto& map = *new desk::SqlMap([] {
    desk::SqlMap map;
    for (const desk::FilterField& field : Catalog().fields) {
      map.columns[field.name] = {.expression = "t.c", .cast = "", .stored = {}};
    }
    map.columns["priority"].stored = {{"HIGH", "2"}};
    map.functions = {{"overdue", "(t.c < {now})"},
                     {"assignedTo", "(t.c = {0})"},
                     {"within", "(t.c < {0} AND t.c > {1})"}};
    map.named = {{"now", {"2026-01-01", "timestamptz"}}};
    return map;
  }());
  return map;
}

const std::vector<desk::TestCells>& Rows() {
  static const auto& rows = *new std::vector<desk::TestCells>([] {
    std::vector<desk::TestCells> rows(1);
    for (unsigned seed = 0; seed < 7; ++seed) rows.push_back(desk::FilterTexts(seed).Row());
    return rows;
  }());
  return rows;
}

// Every word of the condition is one that the renderer or the store wrote; what the user wrote is
// in parameters alone, each of which is used.
void CheckSql(const desk::SqlCondition& sql, int first) {
  static const auto& kWords = *new std::set<std::string>{
      "t.c",       "AND",     "OR",          "IS",       "NOT",    "TRUE",
      "FALSE",     "NULL",    "IN",          "LIKE",     "ILIKE",  "ANY",
      "DISTINCT",  "FROM",    "cardinality", "text",     "bigint", "double",
      "precision", "boolean", "timestamptz", "interval", "0"};
  std::set<int> used;
  absl::string_view rest = sql.text;
  while (!rest.empty()) {
    const auto word_end = std::find_if(rest.begin(), rest.end(), [](char c) {
      return !absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_';
    });
    if (word_end != rest.begin()) {
      const std::string word(rest.begin(), word_end);
      FUZZ_CHECK(kWords.count(word) > 0, sql.text);
      rest.remove_prefix(word.size());
    } else if (rest[0] == '$') {
      size_t end = 1;
      while (end < rest.size() && absl::ascii_isdigit(static_cast<unsigned char>(rest[end]))) ++end;
      int number = 0;
      FUZZ_CHECK(absl::SimpleAtoi(rest.substr(1, end - 1), &number), sql.text);
      used.insert(number);
      rest.remove_prefix(end);
    } else if (rest[0] == '\'') {
      FUZZ_CHECK(rest.size() > 1 && rest[1] == '\'', sql.text);
      rest.remove_prefix(2);
    } else {
      FUZZ_CHECK(absl::string_view(" (),:<>=").find(rest[0]) != absl::string_view::npos, sql.text);
      rest.remove_prefix(1);
    }
  }
  FUZZ_CHECK(used.size() == sql.params.size(), sql.text);
  for (const int number : used) {
    FUZZ_CHECK(number >= first && number < first + static_cast<int>(sql.params.size()), sql.text);
  }
}

void CheckParsed(const Filter& filter, absl::string_view input) {
  const std::string canonical = CanonicalText(filter);
  const auto again = desk::ParseFilter(canonical, Catalog(), kRoomy);
  FUZZ_CHECK(again.ok(), absl::StrCat(canonical, " | ", again.status().ToString()));
  FUZZ_CHECK(*again == filter, canonical);
  FUZZ_CHECK(CanonicalText(*again) == canonical, canonical);

  const Filter bound = desk::BindMe(filter, "petrov");
  const auto sql = desk::RenderSql(bound, Columns(), 3);
  FUZZ_CHECK(sql.ok(), absl::StrCat(canonical, " | ", sql.status().ToString()));
  CheckSql(*sql, 3);

  // NOT selects exactly the other rows. It may be one level too deep, or one letter too long.
  const auto negated = desk::ParseFilter(absl::StrCat("NOT (", input, ")"), Catalog());
  if (!negated.ok() || filter.root.empty()) return;
  const Filter others = desk::BindMe(*negated, "petrov");
  for (const desk::TestCells& cells : Rows()) {
    const desk::FilterRow row = desk::RowOf(cells);
    FUZZ_CHECK(desk::Evaluate(bound, row) != desk::Evaluate(others, row), canonical);
  }
}

void CheckRefused(const absl::Status& status, absl::string_view input) {
  CheckRefusal(status);
  const ErrorDetail detail = GetErrorDetail(status);
  FUZZ_CHECK(detail.reason == "FILTER_INVALID", detail.reason);
  int position = 0;
  FUZZ_CHECK(absl::SimpleAtoi(detail.metadata.at("position"), &position), status.ToString());
  FUZZ_CHECK(position >= 1 && static_cast<size_t>(position) <= input.size() + 1, status.ToString());
  FUZZ_CHECK(detail.fields.size() == 1, status.ToString());
  FUZZ_CHECK(detail.fields[0].en.size() + detail.fields[0].ru.size() < 2500, status.ToString());
}

}  // namespace

void FuzzFilter(absl::string_view input) {
  const auto filter = desk::ParseFilter(input, Catalog());
  if (filter.ok()) {
    CheckParsed(*filter, input);
  } else {
    CheckRefused(filter.status(), input);
  }

  const auto order = desk::ParseOrderBy(input, Catalog());
  if (!order.ok()) return CheckRefusal(order.status());
  const std::string canonical = CanonicalText(*order);
  const auto again = desk::ParseOrderBy(canonical, Catalog());
  FUZZ_CHECK(again.ok() && *again == *order, canonical);
  FUZZ_CHECK(order->size() <= desk::kMaxOrderTerms, canonical);
}

}  // namespace potok::fuzz
