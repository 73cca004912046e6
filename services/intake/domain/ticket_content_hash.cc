#include "intake/domain/ticket_content_hash.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace potok::intake {

ContentHash& ContentHash::Add(absl::string_view name, absl::string_view value) {
  absl::StrAppend(&content_, name.size(), ":", name, value.size(), ":", value);
  return *this;
}

ContentHash& ContentHash::Add(absl::string_view name, int64_t value) {
  return Add(name, absl::string_view(absl::StrCat(value)));
}

std::string ContentHash::Hex() const {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  // Fetched once: EVP_sha256() would be looked up among all providers at every call.
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_Digest(content_.data(), content_.size(), digest, &size, kSha256, nullptr);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

}  // namespace potok::intake
