#pragma once

#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

#include "base/error.h"

// Matchers for absl::Status and absl::StatusOr<T>; Debian's Abseil ships none.
//   EXPECT_THAT(store.Load(id), IsOk());
//   EXPECT_THAT(pass.Run(), StatusIs(absl::StatusCode::kAborted, "CONFLICT"));
//   EXPECT_THAT(Parse("3"), IsOkAndHolds(3));
namespace potok::testing {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).ok();
}

MATCHER_P(StatusIs, code, absl::StrCat("has code ", absl::StatusCodeToString(code))) {
  *result_listener << StatusOf(arg);
  return StatusOf(arg).code() == code;
}

// `reason`: ErrorDetail::reason.
MATCHER_P2(StatusIs, code, reason,
           absl::StrCat("has code ", absl::StatusCodeToString(code), " and reason ", reason)) {
  const std::string actual = GetErrorDetail(StatusOf(arg)).reason;
  *result_listener << StatusOf(arg) << " with reason " << actual;
  return StatusOf(arg).code() == code && actual == reason;
}

MATCHER_P(IsOkAndHolds, matcher, "is OK and its value matches") {
  if (!arg.ok()) {
    *result_listener << arg.status();
    return false;
  }
  return ::testing::ExplainMatchResult(matcher, *arg, result_listener);
}

}  // namespace potok::testing

#define POTOK_TEST_CONCAT_INNER(a, b) a##b
#define POTOK_TEST_CONCAT(a, b) POTOK_TEST_CONCAT_INNER(a, b)
// Binds the value of a StatusOr or fails the test (in a function returning void).
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_INNER(POTOK_TEST_CONCAT(test_statusor_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_INNER(tmp, lhs, expr)     \
  auto tmp = (expr);                                   \
  ASSERT_THAT(tmp.status(), ::potok::testing::IsOk()); \
  lhs = std::move(tmp).value()
