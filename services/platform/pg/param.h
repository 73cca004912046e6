#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::pg {

// One argument of a statement in Postgres' text format; nullopt is NULL. Text keeps one code path
// for scalars, arrays and jsonb; the server parses it in far less time than a round trip takes.
using Param = std::optional<std::string>;

// Raw bytes for a bytea parameter. A plain string would end at its first NUL (libpqxx 6.4.5).
struct Bytes {
  absl::string_view data;
};

inline Param ToParam(std::nullopt_t) { return std::nullopt; }
inline Param ToParam(std::nullptr_t) { return std::nullopt; }
inline Param ToParam(const char* text) { return Param(std::string(text)); }
inline Param ToParam(const std::string& text) { return text; }
inline Param ToParam(absl::string_view text) { return std::string(text); }
inline Param ToParam(bool value) { return std::string(value ? "t" : "f"); }
Param ToParam(double value);
Param ToParam(absl::Time instant);  // timestamptz, microseconds, UTC
Param ToParam(Bytes bytes);         // bytea
template <class T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
Param ToParam(T value) {
  return absl::StrCat(value);
}
template <class T>
Param ToParam(const std::optional<T>& value) {
  return value.has_value() ? ToParam(*value) : std::nullopt;
}

// ISO 8601 with microseconds and zone UTC; "infinity" and "-infinity" for the absl infinities.
// Rounds down to the microsecond, so that what was written compares equal when it is read back.
std::string ToTimestamp(absl::Time instant);

// Array arguments travel as one text and are cast in SQL: unnest($1::uuid[], $2::int[]).
std::string TextArray(const std::vector<std::string>& items);
std::string NullableArray(const std::vector<std::optional<std::string>>& items);
std::string TimeArray(const std::vector<std::optional<absl::Time>>& items);
std::string BoolArray(const std::vector<bool>& items);
template <class Range>
std::string IntArray(const Range& items) {
  std::string out = "{";
  for (const auto& item : items) {
    if (out.size() > 1) out.push_back(',');
    absl::StrAppend(&out, static_cast<std::int64_t>(item));
  }
  out.push_back('}');
  return out;
}

}  // namespace potok::pg
