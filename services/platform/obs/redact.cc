#include "platform/obs/redact.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace potok::obs {
namespace {

constexpr char kMask[] = "[redacted]";

constexpr std::array<absl::string_view, 11> kSecretNames = {
    "password", "passwd", "secret", "token",  "authorization", "cookie",
    "api_key",  "apikey", "dsn",    "bearer", "private_key"};

// Masks what follows each `prefix` up to the next blank, quote or separator.
void MaskAfter(std::string& text, absl::string_view prefix) {
  std::string lower = absl::AsciiStrToLower(text);
  size_t from = 0;
  while ((from = lower.find(prefix.data(), from, prefix.size())) != std::string::npos) {
    const size_t begin = from + prefix.size();
    size_t end = begin;
    if (end < text.size() && (text[end] == '\'' || text[end] == '"')) {
      // A quoted value may hold blanks; it ends with its own quote.
      const size_t close = text.find(text[end], end + 1);
      end = close == std::string::npos ? text.size() : close + 1;
    } else {
      end = text.find_first_of(" \t\n&;,'\"", begin);
      if (end == std::string::npos) end = text.size();
    }
    if (end > begin) {
      text.replace(begin, end - begin, kMask);
      lower.replace(begin, end - begin, kMask);
    }
    from = begin + sizeof(kMask) - 1;
    if (from > text.size()) break;
  }
}

// Masks the password of scheme://user:password@host.
void MaskUrlPassword(std::string& text) {
  size_t from = 0;
  while ((from = text.find("://", from)) != std::string::npos) {
    from += 3;
    const size_t end = text.find_first_of(" /\t\n?#\"'", from);
    const size_t at = text.rfind('@', end == std::string::npos ? end : end - 1);
    if (at == std::string::npos || at < from) continue;
    const size_t colon = text.find(':', from);
    if (colon == std::string::npos || colon >= at) continue;
    text.replace(colon + 1, at - colon - 1, kMask);
  }
}

}  // namespace

bool IsSecretName(absl::string_view key) {
  const std::string lower = absl::AsciiStrToLower(key);
  for (const absl::string_view name : kSecretNames) {
    if (absl::StrContains(lower, name)) return true;
  }
  return false;
}

std::string RedactText(absl::string_view text) {
  std::string out(text);
  MaskAfter(out, "bearer ");
  MaskAfter(out, "password=");
  MaskUrlPassword(out);
  return out;
}

}  // namespace potok::obs
