#include "base/error.h"

#include "gtest/gtest.h"

namespace potok {
namespace {

TEST(Error, EveryDetailSurvivesTheTripThroughAStatus) {
  ErrorDetail detail;
  detail.metadata = {{"etag", "\"7\""}, {"odd:key\n", std::string("\0x", 2)}};
  detail.fields = {{"title", "at most 200 characters", "не длиннее 200 знаков"}};
  detail.preconditions = {{"STATE", "tickets/1", "is CLOSED; reopen it first"}};
  detail.retry_after = absl::Milliseconds(1500);
  detail.ru = "Заявка закрыта";
  const absl::Status status =
      MakeError(absl::StatusCode::kFailedPrecondition, "ILLEGAL_MOVE", "ticket is closed", detail);

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "ticket is closed");
  const ErrorDetail back = GetErrorDetail(status);
  EXPECT_EQ(back.reason, "ILLEGAL_MOVE");
  EXPECT_EQ(back.metadata, detail.metadata);
  ASSERT_EQ(back.fields.size(), 1u);
  EXPECT_EQ(back.fields[0].ru, "не длиннее 200 знаков");
  ASSERT_EQ(back.preconditions.size(), 1u);
  EXPECT_EQ(back.preconditions[0].subject, "tickets/1");
  EXPECT_EQ(back.retry_after, absl::Milliseconds(1500));
  EXPECT_EQ(back.ru, "Заявка закрыта");
}

TEST(Error, AForeignStatusHasAnEmptyDetail) {
  EXPECT_EQ(GetErrorDetail(absl::InternalError("x")).reason, "");
}

TEST(Error, SeveralBadFieldsAreAllNamed) {
  const absl::Status status =
      BadFields({{"a", "must be set", "нужно"}, {"b", "too long", "длинно"}});
  EXPECT_EQ(status.message(), "a: must be set (and 1 more)");
  EXPECT_EQ(GetErrorDetail(status).fields.size(), 2u);
  EXPECT_TRUE(BadFields({}).ok());
}

}  // namespace
}  // namespace potok
