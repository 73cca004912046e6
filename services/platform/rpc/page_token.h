// Page tokens a client can neither read, change nor reuse for another list.
//
// A token seals a payload (the keys of the last row) with AES-256-GCM. The other arguments of the
// list call are authenticated along, so a token fits only the call it was made for; it expires
// after 24 h. It proves nothing about the caller: each page authorises anew. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::rpc {

class PageTokens {
 public:
  static constexpr absl::Duration kLife = absl::Hours(24);

  // `hex_key`: 64 hexadecimal digits, the same in all replicas. Empty: a random key.
  static absl::StatusOr<PageTokens> Create(absl::string_view hex_key);

  // `arguments`: everything else that shapes the list (filter, order, parent), in any fixed form.
  // `now` is real time. The token is URL-safe text.
  std::string Seal(absl::string_view payload, absl::string_view arguments, absl::Time now) const;

  // The payload, or INVALID_ARGUMENT / PAGE_TOKEN_INVALID, without saying which check failed.
  absl::StatusOr<std::string> Open(absl::string_view token, absl::string_view arguments,
                                   absl::Time now) const;

 private:
  using Key = std::array<uint8_t, 32>;
  explicit PageTokens(const Key& key) : key_(key) {}
  Key key_;
};

}  // namespace potok::rpc
