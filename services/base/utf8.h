// Strict reading of UTF-8: no overlong spellings, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace potok {

// Takes the first character off `rest`. Nothing, and `rest` unchanged, when it does not begin with
// a well-formed character or is empty.
inline std::optional<char32_t> TakeCharacter(absl::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const auto lead = static_cast<unsigned char>(rest[0]);
  size_t length = 1;
  char32_t code = lead;
  char32_t smallest = 0;  // Overlong spellings are how filters get bypassed.
  if (lead >= 0xF0 && lead < 0xF8) {
    length = 4, code = lead & 0x07, smallest = 0x10000;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3, code = lead & 0x0F, smallest = 0x800;
  } else if (lead >= 0xC0 && lead < 0xE0) {
    length = 2, code = lead & 0x1F, smallest = 0x80;
  } else if (lead >= 0x80) {
    return std::nullopt;
  }
  if (rest.size() < length) return std::nullopt;
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(rest[i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    code = (code << 6) | (next & 0x3F);
  }
  if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return std::nullopt;
  rest.remove_prefix(length);
  return code;
}

// Characters in `text`; nothing when it is not UTF-8.
inline std::optional<size_t> CountUtf8(absl::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    if (!TakeCharacter(text).has_value()) return std::nullopt;
    ++count;
  }
  return count;
}

// The longest prefix of at most `max_bytes` bytes that does not cut a character in two.
inline absl::string_view Utf8Prefix(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// `text` with U+FFFD in place of each byte that is no part of a well-formed character: for words
// of others (a library's, another service's) that go where only UTF-8 may.
inline std::string MendUtf8(absl::string_view text) {
  std::string mended;
  mended.reserve(text.size());
  while (!text.empty()) {
    absl::string_view rest = text;
    if (TakeCharacter(rest)) {
      mended.append(text.data(), text.size() - rest.size());
      text = rest;
    } else {
      mended.append("\xEF\xBF\xBD");
      text.remove_prefix(1);
    }
  }
  return mended;
}

}  // namespace potok
