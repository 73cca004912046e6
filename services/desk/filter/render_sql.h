// A filter as the WHERE of a Postgres query: text with placeholders, values apart.
//
// Nothing of the filter's text ever becomes SQL text: field names are looked up, values are
// parameters. The condition selects exactly the rows that Evaluate accepts, in a database with a
// UTF-8 locale. Pure, thread-safe, no driver.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "desk/filter/filter.h"

namespace potok::desk {

struct SqlColumn {
  std::string expression;  // "t.due_at". Trusted: written by the store.
  // What the parameter is cast to; empty: by the type of the field (text, bigint, double precision,
  // boolean, timestamptz, interval).
  std::string cast;
  std::map<std::string, std::string> stored;  // Enum value -> stored text, where they differ.
};

struct SqlNamedParam {
  std::string value;
  std::string cast;
};

struct SqlMap {
  std::map<std::string, SqlColumn> columns;  // By field name.
  // Function name -> condition, such as "(t.due_at < {now} AND t.closed_at IS NULL)": {0} is the
  // first argument, {now} a named parameter. Trusted.
  std::map<std::string, std::string> functions;
  std::map<std::string, SqlNamedParam> named;
};

struct SqlCondition {
  std::string text;  // "TRUE" for the empty filter; else one parenthesised condition.
  std::vector<std::string> params;  // For $first, $first+1, ...; text, cast inside `text`.
};

// `first` is the number of the first placeholder. INTERNAL when the map lacks a field or function
// of the filter, or `me` is not bound: the catalog and the store disagree, which is a bug, not a
// user's.
absl::StatusOr<SqlCondition> RenderSql(const Filter& filter, const SqlMap& map, int first = 1);

}  // namespace potok::desk
