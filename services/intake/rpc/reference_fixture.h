// What the integration tests of reference data start from: a migrated database, its snapshot, a
// clock that stands still, and callers.
#pragma once

#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "ledger/reference.h"
#include "platform/clock/clock.h"
#include "platform/rpc/page_token.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::intake {

class ReferenceFixture : public ::testing::Test {
 protected:
  ReferenceFixture()
      : tokens_(*rpc::PageTokens::Create("")),
        pool_({.dsn = database_.dsn("potok_intake"), .size = 4, .application_name = "test"}) {
    // The sla-timer's role writes these, not ours: the superuser stands in.
    std::ifstream in(absl::StrCat(POTOK_TESTDATA, "/standard_policy.sql"));
    EXPECT_TRUE(in);
    std::ostringstream policy;
    policy << in.rdbuf();
    database_.Query(policy.str());
    auto started = ledger::Reference::Start(pool_);
    EXPECT_THAT(started, testing::IsOk());
    reference_ = *std::move(started);
  }

  static CallContext As(const std::string& employee, std::vector<std::string> roles,
                        const std::string& scope = "") {
    CallContext call;
    call.caller.principal = absl::StrCat("users/", employee);
    call.caller.employee = employee;
    call.caller.roles = std::move(roles);
    call.caller.scope = scope;
    return call;
  }
  static CallContext Admin(const std::string& method) {
    CallContext call = As("admin", {"admin"});
    call.method = method;
    return call;
  }
  // The n-th request id of a test.
  static std::string RequestId(int n) {
    return absl::StrFormat("00000000-0000-4000-8000-%012d", n);
  }

  testing::TestDatabase database_;
  FakeClock clock_{absl::FromUnixSeconds(1'767'600'000)};
  rpc::PageTokens tokens_;
  pg::Pool pool_;
  std::unique_ptr<ledger::Reference> reference_;
};

}  // namespace potok::intake
