// One literal of a filter, read as the type of the field it is compared with.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

#include "desk/filter/filter.h"
#include "desk/filter/lexer.h"

namespace potok::desk {

struct Literal {
  FilterValue value;
  TextMatch match = TextMatch::kExact;
  // When not empty: what would have been right, in both languages; `value` is then meaningless.
  std::string expected_en;
  std::string expected_ru;

  bool ok() const { return expected_en.empty(); }
};

Literal ReadLiteral(const FilterField& field, const FilterToken& token);

// The literal as the parser accepts it again.
std::string WriteLiteral(FilterType type, TextMatch match, const FilterValue& value);

}  // namespace potok::desk
