#include "platform/rpc/page_token.h"

#include "gtest/gtest.h"

#include "base/error.h"

namespace potok::rpc {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const std::string kKey(64, 'a');

bool IsRefused(const absl::StatusOr<std::string>& opened) {
  return !opened.ok() && GetErrorDetail(opened.status()).reason == "PAGE_TOKEN_INVALID";
}

TEST(PageTokens, ATokenOpensForItsOwnListOnly) {
  const PageTokens tokens = *PageTokens::Create(kKey);
  const std::string payload("key\0\xff", 5);
  const std::string token = tokens.Seal(payload, "state=QUEUED|due_time", kNow);
  EXPECT_EQ(token.find_first_of("+/= "), std::string::npos) << "not URL-safe: " << token;
  EXPECT_EQ(*tokens.Open(token, "state=QUEUED|due_time", kNow), payload);
  EXPECT_TRUE(IsRefused(tokens.Open(token, "state=CLOSED|due_time", kNow)));
}

TEST(PageTokens, AnyChangedCharacterIsNoticed) {
  const PageTokens tokens = *PageTokens::Create(kKey);
  const std::string token = tokens.Seal("last row", "", kNow);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (i + 1 == token.size()) continue;  // Its unused bits decode to the same bytes.
    EXPECT_TRUE(IsRefused(tokens.Open(changed, "", kNow))) << "at " << i;
  }
  EXPECT_TRUE(IsRefused(tokens.Open(token.substr(0, token.size() - 4), "", kNow)));
  EXPECT_TRUE(IsRefused(tokens.Open("", "", kNow)));
  EXPECT_TRUE(IsRefused(tokens.Open("не токен", "", kNow)));
  EXPECT_TRUE(IsRefused(tokens.Open(std::string(100000, 'A'), "", kNow)));
}

TEST(PageTokens, ATokenDiesAfterADay) {
  const PageTokens tokens = *PageTokens::Create(kKey);
  const std::string token = tokens.Seal("x", "", kNow);
  EXPECT_TRUE(tokens.Open(token, "", kNow + absl::Hours(24)).ok());
  EXPECT_TRUE(IsRefused(tokens.Open(token, "", kNow + absl::Hours(24) + absl::Seconds(1))));
}

TEST(PageTokens, ReplicasWithOneKeyUnderstandEachOther) {
  const PageTokens one = *PageTokens::Create(kKey);
  const PageTokens other = *PageTokens::Create(kKey);
  const PageTokens stranger = *PageTokens::Create("");
  const std::string token = one.Seal("x", "", kNow);
  EXPECT_TRUE(other.Open(token, "", kNow).ok());
  EXPECT_TRUE(IsRefused(stranger.Open(token, "", kNow)));
  EXPECT_NE(one.Seal("x", "", kNow), token) << "a token must not tell that two rows are equal";
}

TEST(PageTokens, ABadKeyIsRefused) {
  EXPECT_FALSE(PageTokens::Create("abc").ok());
  EXPECT_FALSE(PageTokens::Create(std::string(64, 'z')).ok());
}

}  // namespace
}  // namespace potok::rpc
