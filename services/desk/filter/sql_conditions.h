// The WHERE of a list under construction: text and the values of its placeholders, which can never
// part. Not thread-safe.
#pragma once

#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

#include "desk/filter/render_sql.h"

namespace potok::desk {

class SqlConditions {
 public:
  // Adds a parameter; returns its placeholder, cast.
  std::string Add(std::string value, absl::string_view cast) {
    params_.emplace_back(std::move(value));
    return absl::StrCat("$", params_.size(), "::", cast);
  }
  void And(std::string condition) { terms_.push_back(std::move(condition)); }
  // Rendered with `first` = next().
  void And(SqlCondition condition) {
    terms_.push_back(std::move(condition.text));
    std::move(condition.params.begin(), condition.params.end(), std::back_inserter(params_));
  }
  // The number of the next placeholder.
  int next() const { return static_cast<int>(params_.size()) + 1; }
  // At least one condition must have been added.
  std::string Where() const { return absl::StrCat(" WHERE ", absl::StrJoin(terms_, " AND ")); }
  const std::vector<std::optional<std::string>>& params() const { return params_; }

 private:
  std::vector<std::string> terms_;
  std::vector<std::optional<std::string>> params_;
};

}  // namespace potok::desk
