#include "platform/rpc/page_token.h"

#include <cstring>
#include <memory>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/error.h"

namespace potok::rpc {
namespace {

// Layout: version byte, nonce, sealed(8 bytes of issue time, payload), tag.
constexpr char kVersion = 1;
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
constexpr size_t kTimeSize = 8;
constexpr size_t kLeast = 1 + kNonceSize + kTimeSize + kTagSize;
constexpr size_t kMost = 4096;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const uint8_t* Bytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(std::string& text) { return reinterpret_cast<uint8_t*>(text.data()); }

absl::Status Invalid() {
  ErrorDetail detail;
  detail.fields = {{"page_token", "not valid for this list; start again without a page token",
                    "не подходит к этому списку; начните без page_token"}};
  detail.ru = "page_token не подходит к этому списку или устарел; начните с первой страницы";
  return MakeError(
      absl::StatusCode::kInvalidArgument, "PAGE_TOKEN_INVALID",
      "page_token does not belong to this list or is older than 24 h; start with the first page",
      std::move(detail));
}

std::string PackTime(absl::Time at) {
  uint64_t seconds = static_cast<uint64_t>(absl::ToUnixSeconds(at));
  std::string out(kTimeSize, '\0');
  for (size_t i = kTimeSize; i-- > 0; seconds >>= 8) out[i] = static_cast<char>(seconds & 0xFF);
  return out;
}

absl::Time UnpackTime(absl::string_view bytes) {
  uint64_t seconds = 0;
  for (const char c : bytes) seconds = (seconds << 8) | static_cast<uint8_t>(c);
  return absl::FromUnixSeconds(static_cast<int64_t>(seconds));
}

}  // namespace

absl::StatusOr<PageTokens> PageTokens::Create(absl::string_view hex_key) {
  Key key;
  if (hex_key.empty()) {
    if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
      return absl::InternalError("no randomness for the key of page tokens");
    }
    return PageTokens(key);
  }
  if (hex_key.size() != 2 * key.size()) {
    return absl::InvalidArgumentError("the key of page tokens is not 64 hexadecimal digits");
  }
  for (const char c : hex_key) {
    if (!absl::ascii_isxdigit(c)) {
      return absl::InvalidArgumentError("the key of page tokens is not 64 hexadecimal digits");
    }
  }
  const std::string bytes = absl::HexStringToBytes(hex_key);
  std::memcpy(key.data(), bytes.data(), key.size());
  return PageTokens(key);
}

std::string PageTokens::Seal(absl::string_view payload, absl::string_view arguments,
                             absl::Time now) const {
  const std::string plain = absl::StrCat(PackTime(now), payload);
  std::string token(1 + kNonceSize + plain.size() + kTagSize, '\0');
  token[0] = kVersion;
  uint8_t* nonce = Bytes(token) + 1;
  uint8_t* sealed = nonce + kNonceSize;
  // A random nonce of 96 bits is safe for some 2^32 tokens of one key.
  RAND_bytes(nonce, kNonceSize);
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int n = 0;
  EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce);
  EVP_EncryptUpdate(cipher.get(), nullptr, &n, Bytes(arguments),
                    static_cast<int>(arguments.size()));
  EVP_EncryptUpdate(cipher.get(), sealed, &n, Bytes(plain), static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(cipher.get(), sealed + n, &n);
  EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, sealed + plain.size());
  return absl::WebSafeBase64Escape(token);
}

absl::StatusOr<std::string> PageTokens::Open(absl::string_view token, absl::string_view arguments,
                                             absl::Time now) const {
  std::string raw;
  if (token.size() > kMost || !absl::WebSafeBase64Unescape(token, &raw) || raw.size() < kLeast ||
      raw[0] != kVersion) {
    return Invalid();
  }
  const size_t size = raw.size() - 1 - kNonceSize - kTagSize;
  const uint8_t* nonce = Bytes(raw) + 1;
  const uint8_t* sealed = nonce + kNonceSize;
  std::string plain(size, '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int n = 0;
  const bool genuine =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &n, Bytes(arguments),
                        static_cast<int>(arguments.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), Bytes(plain), &n, sealed, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize,
                          const_cast<uint8_t*>(sealed + size)) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), Bytes(plain) + n, &n) == 1;
  if (!genuine) return Invalid();
  const absl::Time issued = UnpackTime(absl::string_view(plain).substr(0, kTimeSize));
  if (now - issued > kLife) return Invalid();
  return plain.substr(kTimeSize);
}

}  // namespace potok::rpc
