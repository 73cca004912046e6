#include "platform/pg/param.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace potok::pg {
Param ToParam(double value) { return absl::StrFormat("%.17g", value); }
Param ToParam(absl::Time instant) { return ToTimestamp(instant); }
Param ToParam(Bytes bytes) { return absl::StrCat("\\x", absl::BytesToHexString(bytes.data)); }

std::string ToTimestamp(absl::Time instant) {
  if (instant == absl::InfiniteFuture()) return "infinity";
  if (instant == absl::InfinitePast()) return "-infinity";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", instant, absl::UTCTimeZone());
}

void ArrayParam::Add(absl::string_view text) {
  if (text_.size() > 1) text_.push_back(',');
  // Always quoted: an unquoted NULL, blank or brace would change the meaning.
  text_.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') text_.push_back('\\');
    text_.push_back(c);
  }
  text_.push_back('"');
}

void ArrayParam::Next(absl::string_view plain) {
  if (text_.size() > 1) text_.push_back(',');
  text_.append(plain.data(), plain.size());
}

}  // namespace potok::pg
