#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
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
class ArrayParam {
 public:
  void Add(absl::string_view text);
  void Add(const std::string& text) { Add(absl::string_view(text)); }
  void Add(const char* text) { Add(absl::string_view(text)); }
  void Add(bool value) { Next(value ? "t" : "f"); }
  void Add(absl::Time instant) { Next(ToTimestamp(instant)); }
  void Add(std::nullopt_t) { Next("NULL"); }
  template <class T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
  void Add(T value) {
    Next(absl::AlphaNum(value).Piece());
  }
  template <class T>
  void Add(const std::optional<T>& value) {
    value.has_value() ? Add(*value) : Add(std::nullopt);
  }
  // The whole array; nothing can be added any more.
  std::string Take() {
    text_.push_back('}');
    return std::move(text_);
  }

 private:
  void Next(absl::string_view plain);

  std::string text_ = "{";
};

template <class Range>
std::string ArrayOf(const Range& items) {
  ArrayParam array;
  for (const auto& item : items) array.Add(item);
  return array.Take();
}
inline std::string TextArray(const std::vector<std::string>& items) { return ArrayOf(items); }
inline std::string NullableArray(const std::vector<std::optional<std::string>>& items) {
  return ArrayOf(items);
}
inline std::string TimeArray(const std::vector<std::optional<absl::Time>>& items) {
  return ArrayOf(items);
}
inline std::string BoolArray(const std::vector<bool>& items) { return ArrayOf(items); }
template <class Range>
std::string IntArray(const Range& items) {
  ArrayParam array;
  for (const auto& item : items) array.Add(static_cast<std::int64_t>(item));
  return array.Take();
}

}  // namespace potok::pg
