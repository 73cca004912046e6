// Time zones by the names people give. Thread-safe.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok {

// The zone of an IANA name, such as "Asia/Yekaterinburg"; nothing for any other text.
//
// The zone database takes a name for a path below its directory and "localtime" for the zone of the
// machine. Neither may come from a request: the one reads foreign files, the other makes the same
// row mean different things on two replicas.
inline std::optional<absl::TimeZone> FindTimeZone(absl::string_view name) {
  constexpr size_t kLongest = 64;
  if (name.empty() || name.size() > kLongest || name == "localtime" || name.front() == '/') {
    return std::nullopt;
  }
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' ||
           c == '+';
  });
  absl::TimeZone zone;
  if (!plain || !absl::LoadTimeZone(std::string(name), &zone)) return std::nullopt;
  return zone;
}

}  // namespace potok
