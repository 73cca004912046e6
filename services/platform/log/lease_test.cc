#include "platform/log/lease.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "platform/log/log_fixture.h"

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
