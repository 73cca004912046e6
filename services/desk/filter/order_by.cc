#include "desk/filter/order_by.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "base/error.h"
#include "base/utf8.h"
#include "desk/filter/lexer.h"

namespace potok::desk {
namespace {

absl::Status OrderError(const FieldCatalog& catalog, absl::string_view en, absl::string_view ru) {
  std::vector<std::string> sortable;
  for (const FilterField& field : catalog.fields) {
    if (field.sortable) sortable.push_back(field.name);
  }
  const std::string names = absl::StrJoin(sortable, ", ");
  ErrorDetail detail;
  detail.ru = absl::StrCat("порядок: ", ru, "; можно сортировать по: ", names,
                           ", например \"due_time desc, create_time\"");
  const std::string message = absl::StrCat("order_by: ", en, "; sortable fields: ", names,
                                           ", such as \"due_time desc, create_time\"");
  detail.fields.push_back({"order_by", message, detail.ru});
  return MakeError(absl::StatusCode::kInvalidArgument, "ORDER_INVALID", message, std::move(detail));
}

}  // namespace

absl::StatusOr<std::vector<OrderTerm>> ParseOrderBy(absl::string_view text,
                                                    const FieldCatalog& catalog) {
  std::vector<OrderTerm> terms;
  if (!CountUtf8(text).has_value() || text.size() > 512) {
    return OrderError(catalog, "at most 512 bytes of UTF-8 are allowed",
                      "допустимо не больше 512 байт в UTF-8");
  }
  if (absl::StripAsciiWhitespace(text).empty()) return terms;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(part, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
    if (words.empty() || words.size() > 2 ||
        (words.size() == 2 && words[1] != "desc" && words[1] != "asc")) {
      return OrderError(
          catalog, absl::StrCat("\"", Shortened(part), "\" is not a field with or without desc"),
          absl::StrCat("«", Shortened(part), "» — не поле с desc или без него"));
    }
    const FilterField* field = catalog.FindField(words[0]);
    if (field == nullptr || !field->sortable) {
      return OrderError(catalog, absl::StrCat("\"", Shortened(words[0]), "\" cannot be sorted by"),
                        absl::StrCat("по «", Shortened(words[0]), "» сортировать нельзя"));
    }
    for (const OrderTerm& term : terms) {
      if (term.field == field->name) {
        return OrderError(catalog, absl::StrCat("\"", field->name, "\" stands twice"),
                          absl::StrCat("«", field->name, "» указано дважды"));
      }
    }
    terms.push_back({field->name, words.size() == 2 && words[1] == "desc"});
    if (terms.size() > kMaxOrderTerms) {
      return OrderError(catalog, absl::StrCat("at most ", kMaxOrderTerms, " fields are allowed"),
                        absl::StrCat("допустимо не больше ", kMaxOrderTerms, " полей"));
    }
  }
  return terms;
}

std::string CanonicalText(const std::vector<OrderTerm>& terms) {
  return absl::StrJoin(terms, ", ", [](std::string* out, const OrderTerm& term) {
    absl::StrAppend(out, term.field, term.descending ? " desc" : "");
  });
}

}  // namespace potok::desk
