#include "platform/clock/clock.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/pg/transaction.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;
using testing::TestDatabase;

absl::Time BusinessNow(TestDatabase& database) {
  absl::Time now;
  EXPECT_THAT(
      pg::InAutocommit(database.pool(), {},
                       [&](pg::Tx& tx) -> absl::Status {
                         now = pg::FromTimestamp(tx.Exec("SELECT ledger.business_now()")[0][0]);
                         return absl::OkStatus();
                       }),
      IsOk());
  return now;
}

TEST(FakeClock, MovesOnlyWhenToldAndWaitsAreCappedAtOneSecond) {
  const absl::Time start = absl::FromUnixSeconds(1'000);
  FakeClock clock(start, /*scale=*/60);
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(absl::Minutes(1));
  EXPECT_EQ(clock.Now(), start + absl::Minutes(1));
  EXPECT_EQ(clock.ToReal(absl::Minutes(1)), absl::Seconds(1));
  EXPECT_EQ(clock.RealWaitUntil(clock.Now() + absl::Seconds(30)), absl::Milliseconds(500));
  EXPECT_EQ(clock.RealWaitUntil(clock.Now() + absl::Hours(5)), absl::Seconds(1));
  EXPECT_EQ(clock.RealWaitUntil(start), absl::ZeroDuration());
}

TEST(DbClock, FollowsTheDatabaseWithinItsError) {
  TestDatabase database;
  ASSERT_OK_AND_ASSIGN(const auto clock, DbClock::Start(database.pool()));
  const absl::Time before = clock->Now();
  const absl::Time database_now = BusinessNow(database);
  const absl::Time after = clock->Now();
  const absl::Duration slack = clock->Error() + absl::Milliseconds(1);
  EXPECT_GE(database_now, before - slack);
  EXPECT_LE(database_now, after + slack);
  EXPECT_LT(clock->Error(), absl::Milliseconds(20));
  EXPECT_TRUE(clock->Stable());
  EXPECT_EQ(clock->ToReal(absl::Seconds(7)), absl::Seconds(7));
}

TEST(DbClock, ScaledTimeRunsFromTheOrigin) {
  TestDatabase database;
  const absl::Time origin = absl::FromCivil(absl::CivilHour(2026, 3, 2, 8), absl::UTCTimeZone());
  EXPECT_THAT(EnsureOrigin(database.pool(), {.scale = 3600, .origin = origin}), IsOkAndHolds(""));
  ASSERT_OK_AND_ASSIGN(const auto clock, DbClock::Start(database.pool()));
  const absl::Time before = clock->Now();
  const absl::Time database_now = BusinessNow(database);
  const absl::Time after = clock->Now();
  const absl::Duration slack = (clock->Error() + absl::Milliseconds(1)) * 3600;
  EXPECT_GE(before, origin);
  EXPECT_GE(database_now, before - slack);
  EXPECT_LE(database_now, after + slack);
  EXPECT_EQ(clock->ToReal(absl::Hours(1)), absl::Seconds(1));
}

TEST(EnsureOrigin, FirstStartDecidesAndLaterFlagsAreWarnedAbout) {
  TestDatabase database;
  EXPECT_THAT(EnsureOrigin(database.pool(), {}), IsOkAndHolds(""));
  EXPECT_EQ(database.Query("SELECT count(*) FROM ledger.clock_origin"), "0");
  EXPECT_THAT(EnsureOrigin(database.pool(), {.scale = 60}), IsOkAndHolds(""));
  EXPECT_THAT(EnsureOrigin(database.pool(), {.scale = 60}), IsOkAndHolds(""));
  EXPECT_THAT(EnsureOrigin(database.pool(), {.scale = 10}), IsOkAndHolds(HasSubstr("60 times")));
  EXPECT_THAT(EnsureOrigin(database.pool(), {}), IsOkAndHolds(HasSubstr("not used")));
  EXPECT_EQ(database.Query("SELECT scale FROM ledger.clock_origin"), "60");
  EXPECT_THAT(EnsureOrigin(database.pool(), {.scale = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace potok
