// The content hash behind idempotency: two calls with one request_id are the same call exactly when
// their hashes are equal.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace potok::intake {

// SHA-256 over a list of named values in the order they are added. The caller spells the list out,
// because the bytes of a protobuf message are not canonical: a newer client or an unknown field
// would make a retry look like another call. Name and value carry their lengths, so that no two
// different lists give one text. Not thread-safe.
class ContentHash {
 public:
  ContentHash& Add(absl::string_view name, absl::string_view value);
  ContentHash& Add(absl::string_view name, int64_t value);

  // 64 lower-case hexadecimal digits.
  std::string Hex() const;

 private:
  std::string content_;
};

}  // namespace potok::intake
