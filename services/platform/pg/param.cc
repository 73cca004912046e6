#include "platform/pg/param.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace potok::pg {
namespace {

void AppendElement(std::string* out, absl::string_view text) {
  // Always quoted: an unquoted NULL, blank or brace would change the meaning.
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out->push_back('\\');
    out->push_back(c);
  }
  out->push_back('"');
}

}  // namespace

Param ToParam(double value) { return absl::StrFormat("%.17g", value); }
Param ToParam(absl::Time instant) { return ToTimestamp(instant); }
Param ToParam(Bytes bytes) { return absl::StrCat("\\x", absl::BytesToHexString(bytes.data)); }

std::string ToTimestamp(absl::Time instant) {
  if (instant == absl::InfiniteFuture()) return "infinity";
  if (instant == absl::InfinitePast()) return "-infinity";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", instant, absl::UTCTimeZone());
}

std::string TextArray(const std::vector<std::string>& items) {
  std::string out = "{";
  for (const std::string& item : items) {
    if (out.size() > 1) out.push_back(',');
    AppendElement(&out, item);
  }
  out.push_back('}');
  return out;
}

std::string NullableArray(const std::vector<std::optional<std::string>>& items) {
  std::string out = "{";
  for (const auto& item : items) {
    if (out.size() > 1) out.push_back(',');
    if (item.has_value()) {
      AppendElement(&out, *item);
    } else {
      out.append("NULL");
    }
  }
  out.push_back('}');
  return out;
}

std::string TimeArray(const std::vector<std::optional<absl::Time>>& items) {
  std::string out = "{";
  for (const auto& item : items) {
    if (out.size() > 1) out.push_back(',');
    out.append(item.has_value() ? ToTimestamp(*item) : "NULL");
  }
  out.push_back('}');
  return out;
}

std::string BoolArray(const std::vector<bool>& items) {
  std::string out = "{";
  for (const bool item : items) {
    if (out.size() > 1) out.push_back(',');
    out.push_back(item ? 't' : 'f');
  }
  out.push_back('}');
  return out;
}

}  // namespace potok::pg
