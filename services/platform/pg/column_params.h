#pragma once

#include <string>
#include <utility>
#include <vector>

#include "platform/pg/param.h"

namespace potok::pg {

// A set of rows as arguments of one statement, an array a column:
// unnest($1::uuid[], $2::int[]) AS r (id, line). Not thread-safe.
template <int kColumns>
class ColumnParams {
 public:
  // One value a column, in the statement's order; what may stand in an array is in param.h.
  template <class... Value>
  void AddRow(const Value&... values) {
    static_assert(sizeof...(values) == kColumns);
    auto column = columns_.begin();
    ((column++)->Add(values), ...);
  }

  // Appends the arrays to `out`; nothing can be added any more.
  void TakeTo(std::vector<Param>* out) {
    for (ArrayParam& column : columns_) out->push_back(column.Take());
  }

 private:
  std::vector<ArrayParam> columns_ = std::vector<ArrayParam>(kColumns);
};

}  // namespace potok::pg
