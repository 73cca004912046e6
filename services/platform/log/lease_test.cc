#include "platform/log/lease.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/log_fixture.h"
#include "platform/log/sql.h"

namespace potok::log {
namespace {

using testing::Eventually;
using testing::IsOk;

class Leases : public LogFixture {
 protected:
  std::unique_ptr<LeaseKeeper> Keeper(const std::string& owner,
                                      std::vector<int> parts = AllParts()) {
    return std::make_unique<LeaseKeeper>(
        LeaseOptions{.family = "test",
                     .parts = std::move(parts),
                     .owner = owner,
                     .times = ShortLeases(),
                     .hooks = {}},
        database_.pool(), [](pg::Tx&, const std::vector<Held>&) { return absl::OkStatus(); });
  }
  static std::set<int> Parts(const LeaseKeeper& keeper) {
    std::set<int> parts;
    for (const Held& held : keeper.Get()) parts.insert(held.part);
    return parts;
  }
};

TEST_F(Leases, SingleProcessHoldsEveryPartAfterOneRound) {
  auto keeper = Keeper("a");
  EXPECT_TRUE(keeper->Get().empty());
  ASSERT_THAT(keeper->Round(), IsOk());
  EXPECT_EQ(keeper->Get().size(), 16u);
  std::set<std::string> tokens;
  for (const Held& held : keeper->Get()) tokens.insert(held.token);
  EXPECT_EQ(tokens.size(), 16u);
}

TEST_F(Leases, NewcomerGetsItsShareAndNoPartHasTwoOwners) {
  auto a = Keeper("a");
  auto b = Keeper("b");
  a->Start();
  ASSERT_TRUE(Eventually([&] { return Parts(*a).size() == 16; }));
  b->Start();
  ASSERT_TRUE(
      Eventually([&] { return !Parts(*b).empty() && Parts(*a).size() + Parts(*b).size() == 16; }));
  std::vector<int> both;
  const auto pa = Parts(*a), pb = Parts(*b);
  std::set_intersection(pa.begin(), pa.end(), pb.begin(), pb.end(), std::back_inserter(both));
  EXPECT_TRUE(both.empty());
  EXPECT_GE(pb.size(), 3u);
  b->Stop();
  EXPECT_TRUE(Eventually([&] { return Parts(*a).size() == 16; }));
}

TEST_F(Leases, DeadOwnerIsSucceededAfterItsLeaseEndsWithANewToken) {
  auto dead = Keeper("dead");
  ASSERT_THAT(dead->Round(), IsOk());  // never started: it will not renew, as a killed process
  const std::vector<Held> before = dead->Get();
  auto heir = Keeper("heir");
  heir->Start();
  ASSERT_TRUE(Eventually([&] { return Parts(*heir).size() == 16; }));
  EXPECT_TRUE(dead->Get().empty()) << "the local fence ends ownership before the lease does";
  for (const Held& held : heir->Get()) {
    EXPECT_EQ(std::count(before.begin(), before.end(), held), 0);
  }
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.lease_log WHERE epoch = 2 AND owner = 'heir'"), 16);
  EXPECT_EQ(
      Int("SELECT count(*) FROM ledger.lease_log a JOIN ledger.lease_log b ON a.name = b.name AND "
          "b.epoch = a.epoch + 1 WHERE b.acquired_at < a.acquired_at + interval '1 second'"),
      0);
  // The dead one wakes up again and finds out.
  ASSERT_THAT(dead->Round(), IsOk());
  EXPECT_TRUE(std::none_of(before.begin(), before.end(), [&](const Held& held) {
    const auto now = dead->Get();
    return std::count(now.begin(), now.end(), held) > 0;
  }));
}

// Its regular looks are a minute apart: what wakes it is the end of the lease.
TEST_F(Leases, HeirComesRightAfterTheLeaseOfADeadOwnerEnds) {
  auto dead = Keeper("dead");
  ASSERT_THAT(dead->Round(), IsOk());
  LeaseKeeper heir(
      {.family = "test",
       .parts = AllParts(),
       .owner = "heir",
       .times = {.ttl = absl::Seconds(1), .renew = absl::Minutes(1), .fence = absl::Minutes(1)},
       .hooks = {}},
      database_.pool(), [](pg::Tx&, const std::vector<Held>&) { return absl::OkStatus(); });
  heir.Start();
  EXPECT_TRUE(Eventually([&] { return Parts(heir).size() == 16; }));
}

TEST_F(Leases, GainWhoseStampFailsLeavesTheLeasesFree) {
  bool fails = true;
  LeaseKeeper keeper(
      {.family = "test", .parts = {0, 1}, .owner = "a", .times = ShortLeases(), .hooks = {}},
      database_.pool(), [&](pg::Tx&, const std::vector<Held>&) {
        return fails ? absl::InternalError("the offsets cannot be stamped") : absl::OkStatus();
      });
  EXPECT_FALSE(keeper.Round().ok());
  EXPECT_TRUE(keeper.Get().empty());
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.lease WHERE name LIKE 'test:%'"), 0);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.lease_log"), 0);
  fails = false;
  ASSERT_THAT(keeper.Round(), IsOk());
  EXPECT_EQ(keeper.Get().size(), 2u);
}

TEST_F(Leases, OwnerThatCannotRenewHoldsNothingAfterItsFenceThoughItsLeaseStillRuns) {
  LeaseKeeper keeper({.family = "test",
                      .parts = {0},
                      .owner = "a",
                      .times = {.ttl = absl::Minutes(1),
                                .renew = absl::Milliseconds(100),
                                .fence = absl::Milliseconds(500)},
                      .hooks = {}},
                     database_.pool(),
                     [](pg::Tx&, const std::vector<Held>&) { return absl::OkStatus(); });
  keeper.Start();
  ASSERT_TRUE(Eventually([&] { return keeper.Get().size() == 1; }));
  const std::vector<Held> before = keeper.Get();
  const auto cut_off = pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
    tx.Exec("LOCK TABLE ledger.lease IN ACCESS EXCLUSIVE MODE");
    EXPECT_TRUE(Eventually([&] { return keeper.Get().empty(); }));
    EXPECT_EQ(tx.Exec("SELECT count(*) FROM ledger.lease WHERE name = 'test:0' AND expires_at > "
                      "clock_timestamp()")[0][0]
                  .as<int>(),
              1);
    return absl::OkStatus();
  });
  ASSERT_THAT(cut_off, IsOk());
  EXPECT_TRUE(Eventually([&] { return !keeper.Get().empty(); }));
  EXPECT_EQ(keeper.Get(), before) << "nobody was in between: the same token";
}

TEST_F(Leases, RenewalsCommitAsynchronouslyAndGainsDoNot) {
  std::string of_gain;
  LeaseKeeper keeper(
      {.family = "test", .parts = {0}, .owner = "a", .times = ShortLeases(), .hooks = {}},
      database_.pool(), [&](pg::Tx& tx, const std::vector<Held>&) {
        of_gain = tx.Exec("SHOW synchronous_commit")[0][0].as<std::string>();
        return absl::OkStatus();
      });
  ASSERT_THAT(keeper.Round(), IsOk());
  EXPECT_EQ(of_gain, database_.Query("SHOW synchronous_commit"));
  std::string of_renewal;
  ASSERT_THAT(pg::InTransaction(database_.pool(), {},
                                [&](pg::Tx& tx) -> absl::Status {
                                  tx.Run(sql::kLeaseRegister, "test@b#0", "b", 1000);
                                  of_renewal =
                                      tx.Exec("SHOW synchronous_commit")[0][0].as<std::string>();
                                  return absl::OkStatus();
                                }),
              IsOk());
  EXPECT_EQ(of_renewal, "off");
}

TEST_F(Leases, CleanStopHandsOverAtOnce) {
  auto a = Keeper("a");
  a->Start();
  ASSERT_TRUE(Eventually([&] { return Parts(*a).size() == 16; }));
  a->Stop();
  a->Stop();
  EXPECT_TRUE(a->Get().empty());
  auto b = Keeper("b");
  ASSERT_THAT(b->Round(), IsOk());
  EXPECT_EQ(b->Get().size(), 16u);
}

// Whoever has its share for good looks twice a second at what the others hold.
TEST_F(Leases, HeirsOfAnOwnerThatEndsLookWithinHalfASecondAndTakeEverything) {
  const auto keeper = [this](const std::string& owner) {
    return std::make_unique<LeaseKeeper>(
        LeaseOptions{
            .family = "test", .parts = AllParts(), .owner = owner, .times = {}, .hooks = {}},
        database_.pool(), [](pg::Tx&, const std::vector<Held>&) { return absl::OkStatus(); });
  };
  auto a = keeper("a");
  ASSERT_THAT(a->Round(), IsOk());
  ASSERT_EQ(a->Get().size(), 16u);
  auto b = keeper("b");
  const absl::StatusOr<absl::Duration> wait = b->Round();
  ASSERT_THAT(wait, IsOk());
  EXPECT_LE(*wait, absl::Milliseconds(500));
  ASSERT_TRUE(b->Get().empty());
  a->Start();
  a->Stop();
  b->Start();
  EXPECT_TRUE(Eventually([&] { return Parts(*b).size() == 16; }));
}

TEST_F(Leases, MembersCompeteOnlyForTheirOwnParts) {
  auto low = Keeper("low", {0, 1, 2});
  auto high = Keeper("high", {3, 4});
  ASSERT_THAT(low->Round(), IsOk());
  ASSERT_THAT(high->Round(), IsOk());
  ASSERT_THAT(low->Round(), IsOk());
  EXPECT_EQ(Parts(*low), (std::set<int>{0, 1, 2}));
  EXPECT_EQ(Parts(*high), (std::set<int>{3, 4}));
}

TEST_F(Leases, StopBeforeStartIsLegal) {
  auto keeper = Keeper("a");
  keeper->Stop();
  keeper->Start();
  EXPECT_TRUE(keeper->Get().empty());
}

}  // namespace
}  // namespace potok::log
