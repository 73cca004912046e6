#include "ledger/reference.h"

#include <atomic>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"

#include "ledger/reference_write.h"
#include "platform/pg/transaction.h"
#include "platform/testing/signal.h"
#include "platform/testing/stack.h"
#include "platform/testing/status_matchers.h"

namespace potok::ledger {
namespace {

using ::potok::testing::Eventually;
using ::potok::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kRenameClerk[] = "UPDATE intake.employee SET name = 'Late' WHERE id = 'clerk';";
constexpr char kDirectoryMoved[] =
    "UPDATE ledger.reference_epoch SET epoch = epoch + 1 WHERE kind = 'directory'";

class ReferenceTest : public ::testing::Test {
 protected:
  void Run(const std::string& file) {
    std::ifstream in(std::string(POTOK_TESTDATA) + "/" + file);
    ASSERT_TRUE(in) << file;
    std::ostringstream text;
    text << in.rdbuf();
    database_.Query(text.str());
  }
  void SetUp() override {
    Run("reference_world.sql");
    auto started = Reference::Start(database_.pool());
    ASSERT_THAT(started, IsOk());
    reference_ = *std::move(started);
  }
  static Caller As(const std::string& employee, std::vector<std::string> roles,
                   const std::string& scope = "") {
    Caller caller;
    caller.principal = "users/" + employee;
    caller.employee = employee;
    caller.roles = std::move(roles);
    caller.scope = scope;
    return caller;
  }

  testing::TestDatabase database_;
  std::unique_ptr<Reference> reference_;
};

TEST_F(ReferenceTest, ReadsEverythingAndLeavesOutWhatCannotBeUsed) {
  const auto world = reference_->Snapshot();
  ASSERT_NE(world->Flow("it"), nullptr);
  EXPECT_EQ(world->Flow("it")->version, 2) << "version 3 is damaged: the one before stays in force";
  EXPECT_EQ(world->FlowVersion("it", 1)->name_ru, "Поддержка");
  EXPECT_EQ(world->FlowVersion("it", 3), nullptr);
  EXPECT_EQ(world->Flow("none"), nullptr);

  const desk::SlaPolicy* policy = world->PolicyOf(*world->Flow("it"));
  ASSERT_NE(policy, nullptr);
  EXPECT_EQ(policy->version, 2);
  EXPECT_EQ(policy->fallback.resolution, (desk::Target{desk::Target::kWorkingDays, 2}));
  EXPECT_EQ(world->PolicyOf(*world->Flow("hr")), nullptr);
  ASSERT_NE(world->CalendarOf(*policy), nullptr);
  EXPECT_EQ(world->CalendarOf(*policy)->definition().id, "ru");
  EXPECT_EQ(world->policies.size(), 1u);
  EXPECT_EQ(world->calendars.size(), 1u);

  EXPECT_EQ(world->FindEmployee("clerk")->name, "Пётр Счётов");
  EXPECT_FALSE(world->FindEmployee("gone")->active);
  EXPECT_EQ(world->FindEmployee("nobody"), nullptr);
  EXPECT_EQ(world->departments.at("accounting").parent, "finance");
  ASSERT_EQ(world->members.at("it").size(), 3u);
  EXPECT_EQ(world->members.at("it")[1].employee, "clerk");
  EXPECT_THAT(world->members.at("it")[1].skills, ElementsAre("linux", "1С"));
  EXPECT_EQ(world->members.count("hr"), 0u) << "a removed member is none";
  EXPECT_THAT(world->ManagersOf(*world->Flow("it")), ElementsAre("clerk"));
  EXPECT_THAT(world->ManagersOf(*world->FlowVersion("it", 1)), ElementsAre("boss", "gone"));
}

TEST_F(ReferenceTest, OnlyTheKindThatMovedIsReadAgain) {
  const auto before = reference_->Snapshot();
  Run("reference_change.sql");
  ASSERT_THAT(reference_->Refresh(), IsOk());
  const auto after = reference_->Snapshot();
  EXPECT_EQ(after->Flow("hr")->version, 2);
  EXPECT_EQ(after->FlowVersion("it", 1), before->FlowVersion("it", 1)) << "parsed once for good";
  EXPECT_EQ(after->FindEmployee("boss")->name, "Анна Главная");
  EXPECT_EQ(before->Flow("hr")->version, 1) << "a snapshot in use never changes";
}

// A company of 50 000 is imported in many calls: after each of them only its people are read.
TEST_F(ReferenceTest, OfTheCompanyOnlyThoseAreReadAgainWhoseRowsChanged) {
  const auto before = reference_->Snapshot();
  database_.Query(absl::StrCat(kRenameClerk, kDirectoryMoved));
  ASSERT_THAT(reference_->Refresh(), IsOk());
  const auto after = reference_->Snapshot();
  EXPECT_EQ(after->FindEmployee("clerk")->name, "Late");
  EXPECT_EQ(before->FindEmployee("clerk")->name, "Пётр Счётов");
  EXPECT_EQ(after->FindEmployee("boss"), before->FindEmployee("boss")) << "the same object";
  Run("reference_change.sql");
  ASSERT_THAT(reference_->Refresh(), IsOk());
  EXPECT_EQ(reference_->Snapshot()->employees, after->employees) << "not even copied";
}

// The numbers of transactions do not tell in which order they commit.
TEST_F(ReferenceTest, AChangeThatWasOpenDuringALookIsFoundByTheNext) {
  ASSERT_THAT(
      pg::InTransaction(database_.pool(), {},
                        [&](pg::Tx& early) -> absl::Status {
                          early.Exec(kRenameClerk);
                          database_.Query(
                              absl::StrCat("UPDATE intake.employee SET name = 'Second' "
                                           "WHERE id = 'boss';",
                                           kDirectoryMoved));
                          EXPECT_THAT(reference_->Refresh(), IsOk());
                          EXPECT_EQ(reference_->Snapshot()->FindEmployee("boss")->name, "Second");
                          EXPECT_NE(reference_->Snapshot()->FindEmployee("clerk")->name, "Late");
                          BumpEpoch(early, kDirectoryKind);
                          return absl::OkStatus();
                        }),
      IsOk());
  ASSERT_THAT(reference_->Refresh(), IsOk());
  EXPECT_EQ(reference_->Snapshot()->FindEmployee("clerk")->name, "Late");
}

// After a failover the server may not have what was seen before; no stamp and no epoch tells.
TEST_F(ReferenceTest, AServerThatWasStartedSinceIsAskedForEverything) {
  const auto before = reference_->Snapshot();
  database_.Query(absl::StrCat("SET session_replication_role = replica;", kRenameClerk));
  ASSERT_THAT(reference_->Refresh(), IsOk());
  EXPECT_EQ(reference_->Snapshot(), before) << "as if it had never been otherwise";
  database_.Query("CHECKPOINT");
  if (!testing::TestStack::Get().RestartPostgres()) GTEST_SKIP() << "the server is shared";
  EXPECT_TRUE(
      Eventually([&] { return reference_->Snapshot()->FindEmployee("clerk")->name == "Late"; }));
  EXPECT_EQ(reference_->Snapshot()->Flow("it")->version, before->Flow("it")->version);
}

TEST_F(ReferenceTest, AChangeOfAnotherProcessIsSeenWithoutAsking) {
  Run("reference_change.sql");
  EXPECT_TRUE(Eventually([&] { return reference_->Snapshot()->Flow("hr")->version == 2; }));
}

TEST_F(ReferenceTest, NothingMovedMeansTheSameSnapshot) {
  const auto before = reference_->Snapshot();
  ASSERT_THAT(reference_->Refresh(), IsOk());
  EXPECT_EQ(reference_->Snapshot(), before);
}

TEST_F(ReferenceTest, ManyRefreshersAndWritersEndUpWithTheLastEpoch) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10; ++n) {
        EXPECT_THAT(pg::InTransaction(database_.pool(), {},
                                      [](pg::Tx& tx) -> absl::Status {
                                        BumpEpoch(tx, kDirectoryKind);
                                        return absl::OkStatus();
                                      }),
                    IsOk());
        EXPECT_THAT(reference_->Refresh(), IsOk());
        EXPECT_EQ(reference_->Snapshot()->employees->size(), 3u);
      }
    });
  }
  for (std::thread& each : threads) each.join();
}

TEST_F(ReferenceTest, AViewerHasWhatTheDirectoryGivesAndItsTokenAllows) {
  const auto world = reference_->Snapshot();
  const desk::Viewer clerk = world->ViewerOf(As("clerk", {"agent"}));
  EXPECT_FALSE(clerk.sees_all);
  EXPECT_THAT(clerk.flows_administered, ElementsAre("hr", "it"))
      << "admin of one, manager of the other";
  EXPECT_THAT(clerk.flows_served, ElementsAre("it"));
  EXPECT_THAT(clerk.departments_headed, IsEmpty());

  EXPECT_THAT(world->ViewerOf(As("boss", {"requester"})).departments_headed,
              ElementsAre("accounting", "finance"));
  EXPECT_THAT(world->ViewerOf(As("ringleader", {})).departments_headed,
              ElementsAre("ring-a", "ring-b"));

  const desk::Viewer gone = world->ViewerOf(As("gone", {"agent"}));
  EXPECT_THAT(gone.flows_administered, IsEmpty()) << "who has left administers nothing";
  EXPECT_THAT(gone.flows_served, IsEmpty());

  EXPECT_TRUE(world->ViewerOf(As("x", {"admin"})).admin);
  EXPECT_TRUE(world->ViewerOf(As("x", {"auditor"})).sees_all);
  EXPECT_FALSE(world->ViewerOf(As("x", {"auditor"})).admin);
  EXPECT_TRUE(world->ViewerOf(As("", {"service"})).sees_all);
}

TEST_F(ReferenceTest, AScopeNarrowsWhatARoleGives) {
  const auto world = reference_->Snapshot();
  const desk::Viewer scoped = world->ViewerOf(As("x", {"flowAdmin"}, "it"));
  EXPECT_THAT(scoped.flows_administered, ElementsAre("it"));
  const desk::Viewer admin = world->ViewerOf(As("x", {"admin"}, "it"));
  EXPECT_FALSE(admin.admin || admin.sees_all);
  EXPECT_THAT(admin.flows_administered, ElementsAre("it"));
  EXPECT_FALSE(world->ViewerOf(As("x", {"auditor"}, "it")).sees_all);
  EXPECT_THAT(world->ViewerOf(As("x", {"flowAdmin"}, "no-such-flow")).flows_administered,
              IsEmpty());
}

TEST(ReferenceStart, WithoutTheSchemaItSaysSo) {
  testing::TestDatabase empty(testing::TestDatabase::Contents::kEmpty);
  EXPECT_THAT(Reference::Start(empty.pool()), Not(IsOk()));
}

}  // namespace
}  // namespace potok::ledger
