#include "platform/pg/migrate.h"

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "migrate/migrations.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::pg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TestDatabase;

std::vector<Migration> Two() {
  return {{"a", 1, "0001_a.sql", "CREATE SCHEMA a; CREATE TABLE a.t (x int)"},
          {"a", 2, "0002_more.sql", "ALTER TABLE a.t ADD COLUMN y int"}};
}

TEST(Migrate, AppliesWhatIsMissingOnce) {
  TestDatabase database(TestDatabase::Contents::kEmpty);
  auto steps = Two();
  auto first = Migrate(database.dsn(), {steps[0]}, false);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(first->applied, ElementsAre("a/0001_a.sql"));
  auto dry = Migrate(database.dsn(), steps, true);
  ASSERT_THAT(dry, IsOk());
  EXPECT_THAT(dry->applied, ElementsAre("a/0002_more.sql"));
  auto second = Migrate(database.dsn(), steps, false);
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(second->applied, ElementsAre("a/0002_more.sql"));
  EXPECT_EQ(second->already, 1);
  EXPECT_EQ(database.Query("SELECT count(*) FROM public.potok_migration"), "2");
}

TEST(Migrate, ChangedStepIsRefusedBeforeAnythingIsDone) {
  TestDatabase database(TestDatabase::Contents::kEmpty);
  auto steps = Two();
  ASSERT_THAT(Migrate(database.dsn(), {steps[0]}, false), IsOk());
  steps[0].text += " -- edited";
  const auto refused = Migrate(database.dsn(), steps, false);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("a/0001_a.sql was changed"));
  EXPECT_EQ(database.Query("SELECT count(*) FROM public.potok_migration"), "1");
}

TEST(Migrate, FailingStepLeavesTheLastCompleteOne) {
  TestDatabase database(TestDatabase::Contents::kEmpty);
  auto steps = Two();
  steps[1].text = "ALTER TABLE a.t ADD COLUMN y int; SELECT nonsense";
  const auto failed = Migrate(database.dsn(), steps, false);
  EXPECT_FALSE(failed.ok());
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("a/0002_more.sql"));
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("nonsense"));
  EXPECT_EQ(
      database.Query("SELECT count(*) FROM information_schema.columns WHERE table_schema='a'"),
      "1");
}

TEST(Migrate, ConcurrentRunsTakeTurns) {
  TestDatabase database(TestDatabase::Contents::kEmpty);
  std::vector<std::thread> runs;
  for (int i = 0; i < 4; ++i) {
    runs.emplace_back([&] { EXPECT_THAT(Migrate(database.dsn(), Two(), false), IsOk()); });
  }
  for (std::thread& run : runs) run.join();
  EXPECT_EQ(database.Query("SELECT count(*) FROM public.potok_migration"), "2");
}

TEST(Migrate, OlderProgramAcceptsANewerDatabase) {
  TestDatabase database(TestDatabase::Contents::kEmpty);
  ASSERT_THAT(Migrate(database.dsn(), Two(), false), IsOk());
  const auto older = Migrate(database.dsn(), {Two()[0]}, false);
  ASSERT_THAT(older, IsOk());
  EXPECT_THAT(older->unknown, ElementsAre("a/2"));
}

TEST(AllMigrations, StartWithTheLedgerAndApplyToAnEmptyDatabase) {
  ASSERT_FALSE(AllMigrations().empty());
  EXPECT_EQ(AllMigrations()[0].schema, "ledger");
  TestDatabase database(TestDatabase::Contents::kEmpty);
  EXPECT_THAT(Migrate(database.dsn(), AllMigrations(), false), IsOk());
  EXPECT_EQ(database.Query("SELECT count(*) FROM ledger.part_head"), "48");
}

}  // namespace
}  // namespace potok::pg
