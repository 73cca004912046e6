#include "platform/log/failure.h"

#include "absl/strings/str_cat.h"

#include "base/utf8.h"
#include "platform/pg/error_map.h"

namespace potok::log {

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
  const std::string all =
      absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message(),
                   cause.empty() ? "" : " | ", cause);
  return std::string(Utf8Prefix(all, 2000));
}

}  // namespace potok::log
