// The meaning of a filter, as the definition: what SQL rendered from it must select.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "desk/filter/filter.h"

namespace potok::desk {

// A value of a row; monostate when absent. Enums by name, resources by bare id.
using FilterCell = std::variant<std::monostate, bool, int64_t, double, std::string, absl::Time,
                                absl::Duration, std::vector<std::string>>;

struct FilterRow {
  std::function<FilterCell(absl::string_view field)> cell;
  std::function<bool(absl::string_view function, const std::vector<FilterValue>& args)> call;
};

// Whether the row matches. Total: a cell of another type than the field's counts as absent, and so
// does `me` that BindMe has not replaced. Thread-safe if the row's functions are.
bool Evaluate(const Filter& filter, const FilterRow& row);

// Small letters for capital ones: Latin, Greek and Cyrillic, which Postgres folds the same way in
// every UTF-8 locale but "C". Bytes that are not UTF-8 are kept.
std::string FoldCase(absl::string_view text);

}  // namespace potok::desk
