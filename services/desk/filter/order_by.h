// The order_by of list methods (AIP-132): "due_time desc, create_time".
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "desk/filter/filter.h"

namespace potok::desk {

struct OrderTerm {
  std::string field;
  bool descending = false;

  bool operator==(const OrderTerm&) const = default;
};

inline constexpr size_t kMaxOrderTerms = 4;

// Only fields of the catalog marked sortable, each once. Empty text: no terms; the caller puts its
// default, and always appends the id, without which pages of equal values would tear.
// INVALID_ARGUMENT, reason ORDER_INVALID, one violation of the field "order_by".
absl::StatusOr<std::vector<OrderTerm>> ParseOrderBy(absl::string_view text,
                                                    const FieldCatalog& catalog);

// The one spelling, for page tokens.
std::string CanonicalText(const std::vector<OrderTerm>& terms);

}  // namespace potok::desk
