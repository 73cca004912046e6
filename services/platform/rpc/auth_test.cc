#include "platform/rpc/auth.h"

#include "gtest/gtest.h"

#include "base/error.h"

namespace potok::rpc {
namespace {

std::string ReasonOfToken(absl::string_view token) {
  const auto caller = DevAuthenticator().Authenticate(token);
  EXPECT_EQ(caller.status().code(), absl::StatusCode::kUnauthenticated);
  return GetErrorDetail(caller.status()).reason;
}

TEST(DevAuthenticator, ATokenWithoutRolesMakesARequester) {
  const auto caller = DevAuthenticator().Authenticate("Bearer dev:ivanova");
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->principal, "users/ivanova");
  EXPECT_EQ(caller->employee, "ivanova");
  EXPECT_EQ(caller->roles, std::vector<std::string>({"requester"}));
  EXPECT_EQ(caller->scope, "");
}

TEST(DevAuthenticator, RolesAndScopeAreRead) {
  const auto caller =
      DevAuthenticator().Authenticate("bearer dev:petrov:agent+flowAdmin@it-support");
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_TRUE(caller->Has("agent"));
  EXPECT_TRUE(caller->Has("flowAdmin"));
  EXPECT_EQ(caller->scope, "it-support");
}

TEST(DevAuthenticator, AServiceIsNoEmployee) {
  const auto caller = DevAuthenticator().Authenticate("Bearer dev:router:service");
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->principal, "serviceAccounts/router");
  EXPECT_EQ(caller->employee, "");
}

TEST(DevAuthenticator, EachKindOfBadCredentialHasItsReason) {
  EXPECT_EQ(ReasonOfToken(""), "CREDENTIALS_MISSING");
  EXPECT_EQ(ReasonOfToken("Basic aXZhbm92YQ=="), "CREDENTIALS_MALFORMED");
  EXPECT_EQ(ReasonOfToken("Bearer eyJhbGciOi"), "CREDENTIALS_INVALID");
  EXPECT_EQ(ReasonOfToken("Bearer dev:"), "CREDENTIALS_MALFORMED");
  EXPECT_EQ(ReasonOfToken("Bearer dev:a/../b"), "CREDENTIALS_MALFORMED");
  EXPECT_EQ(ReasonOfToken("Bearer dev:ivanova:root"), "CREDENTIALS_INVALID");
}

TEST(DevAuth, IsRefusedUnlessEverythingIsLocalAndSaidToBeDev) {
  EXPECT_TRUE(
      CheckDevAuthAllowed({"127.0.0.1:0", "unix:/run/x", "[::1]:1", "localhost:2"}, "dev").ok());
  EXPECT_FALSE(CheckDevAuthAllowed({"127.0.0.1:0"}, "").ok());
  EXPECT_FALSE(CheckDevAuthAllowed({"127.0.0.1:0", "0.0.0.0:8443"}, "dev").ok());
  EXPECT_FALSE(CheckDevAuthAllowed({"[::]:8443"}, "dev").ok());
  EXPECT_FALSE(CheckDevAuthAllowed({"127.evil.example:1"}, "dev").ok());
}

TEST(ActFor, TheEmployeeActsAndThePortalIsKept) {
  Caller portal;
  portal.principal = "serviceAccounts/portal";
  portal.roles = {"service"};
  const auto caller = ActFor(portal, "users/ivanova");
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->employee, "ivanova");
  EXPECT_EQ(caller->on_behalf_of, "serviceAccounts/portal");
  EXPECT_FALSE(caller->Has("service")) << "the portal's own rights do not leak to the employee";
  EXPECT_FALSE(ActFor(portal, "ivanova").ok());
}

}  // namespace
}  // namespace potok::rpc
