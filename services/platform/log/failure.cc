#include "platform/log/failure.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/utf8.h"
#include "platform/pg/error_map.h"

namespace potok::log {
namespace {

// Postgres takes neither bytes that are no characters nor the character NUL, and a reason that
// cannot be stored would keep its entry from being parked for good.
std::string Utf8Text(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const absl::string_view before = text;
    const std::optional<char32_t> character = TakeCharacter(text);
    if (!character.has_value()) text.remove_prefix(1);
    if (character.value_or(0) == 0) {
      out.push_back('?');
    } else {
      out.append(before.data(), before.size() - text.size());
    }
  }
  return out;
}

}  // namespace

bool IsTransient(const absl::Status& status) {
  for (const char* of_schema : {"42501", "42P01", "42703", "42883", "3F000"}) {
    if (pg::SqlState(status) == of_schema) return true;
  }
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kResourceExhausted: return true;
    default: return false;
  }
}

std::string Why(const absl::Status& status) {
  const std::string cause = pg::Cause(status);
  const std::string all = absl::StrCat(absl::StatusCodeToString(status.code()), ": ",
                                       status.message(), cause.empty() ? "" : " | ", cause);
  return Utf8Text(Utf8Prefix(all, 2000));
}

}  // namespace potok::log
