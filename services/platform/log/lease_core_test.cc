#include "platform/log/lease_core.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::Duration Second(double n) { return absl::Seconds(n); }

// A core with three parts; the test answers for the database.
class LeaseCoreTest : public ::testing::Test {
 protected:
  LeaseCore Core(const std::string& owner = "me") {
    return LeaseCore({.owner = owner, .parts = {0, 1, 2}, .times = {}, .new_token = [this] {
                        return absl::StrCat("t", ++tokens_);
                      }});
  }
  static LeasePicture Alone(const std::string& owner = "me") {
    LeasePicture picture;
    picture.members = {{owner, {0, 1, 2}, Second(6)}};
    return picture;
  }
  // One round of an owner alone in the world: it gets whatever it asks for.
  static void TakeAll(LeaseCore& core, absl::Duration now) {
    ASSERT_EQ(core.Next().kind, LeaseAction::kRenew);
    core.Renewed(now, now, {}, Alone());
    const LeaseAction gain = core.Next();
    ASSERT_EQ(gain.kind, LeaseAction::kGain);
    core.Gained(now, now, gain.leases);
  }
  // The parts of which `owner` is the preferred one of the two.
  std::set<int> Preferred(const std::string& owner, const std::string& other) {
    LeaseCore core = Core(owner);
    LeasePicture picture = Alone(owner);
    picture.members.push_back({other, {0, 1, 2}, Second(6)});
    for (int part = 0; part < 3; ++part) {
      picture.leases[part] = {"", false, absl::ZeroDuration()};
    }
    core.Next();
    core.Renewed(Second(0), Second(0), {}, picture);
    std::set<int> parts;
    const LeaseAction gain = core.Next();
    if (gain.kind == LeaseAction::kGain) {
      for (const Held& held : gain.leases) parts.insert(held.part);
    }
    return parts;
  }
  // A name that takes at least one part from "me" and leaves it at least one.
  std::string Rival() {
    for (int i = 0;; ++i) {
      const std::string name = absl::StrCat("rival", i);
      const size_t parts = Preferred(name, "me").size();
      if (parts > 0 && parts < 3) return name;
    }
  }

  int tokens_ = 0;
};

TEST_F(LeaseCoreTest, LoneProcessGainsEveryPartAndThenRenewsIt) {
  LeaseCore core = Core();
  EXPECT_THAT(core.Get(Second(0)), IsEmpty());
  TakeAll(core, Second(10));
  EXPECT_THAT(core.Get(Second(10)), ElementsAre(Held{0, "t1"}, Held{1, "t2"}, Held{2, "t3"}));
  const LeaseAction wait = core.Next();
  EXPECT_EQ(wait.kind, LeaseAction::kWait);
  EXPECT_EQ(wait.wait, Second(2));
  const LeaseAction renew = core.Next();
  EXPECT_EQ(renew.kind, LeaseAction::kRenew);
  EXPECT_THAT(renew.leases, ElementsAre(Held{0, "t1"}, Held{1, "t2"}, Held{2, "t3"}));
}

TEST_F(LeaseCoreTest, NothingIsHeldFourSecondsAfterTheLastConfirmedRenewalWasSent) {
  LeaseCore core = Core();
  TakeAll(core, Second(10));
  core.Next();
  core.Next();
  // The answer took three seconds: what counts is when it was sent.
  LeasePicture picture = Alone();
  core.Renewed(Second(12), Second(15), core.Get(Second(12)), picture);
  EXPECT_EQ(core.Get(Second(16)).size(), 3u);
  EXPECT_THAT(core.Get(Second(16.001)), IsEmpty());
  const std::int64_t version = core.version();
  core.Failed(Second(17), 0.5);
  EXPECT_EQ(core.version(), version) << "the leases may still be ours";
  EXPECT_THAT(core.Get(Second(17)), IsEmpty());
}

TEST_F(LeaseCoreTest, LeaseThatWentToAnotherIsNoLongerHeld) {
  LeaseCore core = Core();
  TakeAll(core, Second(10));
  const std::int64_t version = core.version();
  core.Next();
  core.Next();
  LeasePicture picture = Alone();
  picture.leases[1] = {"other", true, Second(6)};
  core.Renewed(Second(12), Second(12), {{0, "t1"}, {2, "t3"}}, picture);
  EXPECT_THAT(core.Get(Second(12)), ElementsAre(Held{0, "t1"}, Held{2, "t3"}));
  EXPECT_GT(core.version(), version);
}

TEST_F(LeaseCoreTest, WhoRenewsVeryOftenStillWaitsAMomentForALeaseThatIsHeld) {
  for (const double left : {0.001, 0.3}) {
    LeaseCore core({.owner = "me",
                    .parts = {0},
                    .times = {.ttl = Second(0.3), .renew = Second(0.05), .fence = Second(0.2)},
                    .new_token = [] { return "t"; }});
    LeasePicture picture;
    picture.members = {{"me", {0}, Second(6)}};
    picture.leases[0] = {"dead", true, Second(left)};
    core.Next();
    core.Renewed(Second(1), Second(1), {}, picture);
    const LeaseAction wait = core.Next();
    EXPECT_EQ(wait.kind, LeaseAction::kWait);
    EXPECT_EQ(wait.wait, Second(0.01)) << left;
  }
}

TEST_F(LeaseCoreTest, GainWhoseAnswerWasLostIsRenewedAndHeldWhenItHadBeenCommitted) {
  LeaseCore core = Core();
  core.Next();
  core.Renewed(Second(1), Second(1), {}, Alone());
  EXPECT_EQ(core.Next().kind, LeaseAction::kGain);
  core.Failed(Second(1.5), 0.5);
  EXPECT_THAT(core.Get(Second(1.5)), IsEmpty());
  EXPECT_EQ(core.Next().kind, LeaseAction::kWait);
  EXPECT_EQ(core.Next().kind, LeaseAction::kLook);
  core.Looked(Second(14), {});
  const LeaseAction renew = core.Next();
  EXPECT_THAT(renew.leases, ElementsAre(Held{0, "t1"}, Held{1, "t2"}, Held{2, "t3"}));
  LeasePicture picture = Alone();
  for (int part = 0; part < 3; ++part) picture.leases[part] = {"me", true, Second(6)};
  EXPECT_TRUE(core.Renewed(Second(2), Second(2), renew.leases, picture));
  EXPECT_EQ(core.Get(Second(2)).size(), 3u);
  EXPECT_EQ(core.Next().kind, LeaseAction::kWait);
}

TEST_F(LeaseCoreTest, NewcomerIsGivenItsShareAndNotBeforeTheLeaseWasHeldForATtl) {
  const std::string rival = Rival();
  const std::set<int> share = Preferred(rival, "me");
  LeaseCore core = Core();
  TakeAll(core, Second(10));
  LeasePicture picture = Alone();
  picture.members.push_back({rival, {0, 1, 2}, Second(6)});
  for (const double at : {12.0, 15.9, 16.0}) {
    EXPECT_EQ(core.Next().kind, LeaseAction::kWait) << at;
    EXPECT_EQ(core.Next().kind, LeaseAction::kRenew) << at;
    core.Renewed(Second(at), Second(at), core.Get(Second(at - 2)), picture);
    EXPECT_EQ(core.Get(Second(at)).size(), at < 16 ? 3u : 3u - share.size()) << at;
  }
  const LeaseAction release = core.Next();
  EXPECT_EQ(release.kind, LeaseAction::kRelease);
  std::set<int> released;
  for (const Held& held : release.leases) released.insert(held.part);
  EXPECT_EQ(released, share);
}

TEST_F(LeaseCoreTest, NothingIsHandedOverToAMemberThatHasMissedARenewal) {
  const std::string rival = Rival();
  LeaseCore core = Core();
  TakeAll(core, Second(10));
  LeasePicture picture = Alone();
  picture.members.push_back({rival, {0, 1, 2}, Second(2.9)});
  core.Next();
  core.Next();
  core.Renewed(Second(20), Second(20), core.Get(Second(12)), picture);
  EXPECT_EQ(core.Next().kind, LeaseAction::kWait);
  EXPECT_EQ(core.Get(Second(20)).size(), 3u);
}

TEST_F(LeaseCoreTest, LeaseThatItsOwnerGivesBackIsFoundHalfASecondLaterWithoutAWrite) {
  const std::string rival = Rival();
  LeaseCore core = Core();
  // Some parts are the rival's, for good; the rest is ours.
  const std::set<int> theirs = Preferred(rival, "me");
  LeasePicture both = Alone();
  both.members.push_back({rival, {0, 1, 2}, Second(6)});
  for (const int part : theirs) both.leases[part] = {rival, true, Second(6)};
  core.Next();
  core.Renewed(Second(10), Second(10), {}, both);
  const LeaseAction ours = core.Next();
  ASSERT_EQ(ours.kind, LeaseAction::kGain);
  core.Gained(Second(10), Second(10), ours.leases);
  for (const Held& held : ours.leases) both.leases[held.part] = {"me", true, Second(6)};

  for (const double at : {10.5, 11.0, 11.5}) {
    const LeaseAction wait = core.Next();
    ASSERT_EQ(wait.kind, LeaseAction::kWait);
    EXPECT_EQ(wait.wait, Second(0.5));
    ASSERT_EQ(core.Next().kind, LeaseAction::kLook) << at;
    core.Looked(Second(at), both);
  }
  EXPECT_EQ(core.Next().wait, Second(0.5));
  ASSERT_EQ(core.Next().kind, LeaseAction::kRenew) << "the look does not put a renewal off";
  core.Renewed(Second(12), Second(12), ours.leases, both);

  EXPECT_EQ(core.Next().wait, Second(0.5));
  ASSERT_EQ(core.Next().kind, LeaseAction::kLook);
  LeasePicture left = Alone();
  for (const Held& held : ours.leases) left.leases[held.part] = {"me", true, Second(5.5)};
  for (const int part : theirs) left.leases[part] = {"", false, Second(-0.4)};
  core.Looked(Second(12.5), left);
  ASSERT_EQ(core.Next().kind, LeaseAction::kRenew);
  core.Renewed(Second(12.5), Second(12.5), ours.leases, left);
  const LeaseAction gain = core.Next();
  ASSERT_EQ(gain.kind, LeaseAction::kGain);
  EXPECT_EQ(gain.leases.size(), theirs.size());
}

TEST_F(LeaseCoreTest, WhoWasForestalledLooksAgainSoon) {
  LeaseCore core = Core();
  core.Next();
  core.Renewed(Second(10), Second(10), {}, Alone());
  ASSERT_EQ(core.Next().kind, LeaseAction::kGain);
  core.Gained(Second(10), Second(10), {});
  EXPECT_EQ(core.Next().wait, Second(0.5));
  EXPECT_EQ(core.Next().kind, LeaseAction::kLook);
}

TEST_F(LeaseCoreTest, LeaseOfADeadOwnerIsLookedAtAgainRightAfterItEnds) {
  const std::string dead = Rival();
  LeaseCore core = Core();
  LeasePicture picture = Alone();
  picture.members.push_back({dead, {0, 1, 2}, Second(0.7)});
  for (int part = 0; part < 3; ++part) picture.leases[part] = {dead, true, Second(0.7)};
  core.Next();
  core.Renewed(Second(1), Second(1), {}, picture);
  const LeaseAction wait = core.Next();
  EXPECT_EQ(wait.kind, LeaseAction::kWait);
  EXPECT_LE(wait.wait, Second(0.72)) << "a takeover must not wait for the next regular renewal";
}

TEST_F(LeaseCoreTest, PartThatThePreferredOneLetsLieIsTakenAfterHalfATtl) {
  const std::string rival = Rival();
  const std::set<int> share = Preferred(rival, "me");
  for (const double lain : {2.9, 3.1}) {
    LeaseCore core = Core();
    LeasePicture picture = Alone();
    picture.members.push_back({rival, {0, 1, 2}, Second(6)});
    for (int part = 0; part < 3; ++part) picture.leases[part] = {"", false, -Second(lain)};
    core.Next();
    core.Renewed(Second(1), Second(1), {}, picture);
    const LeaseAction gain = core.Next();
    ASSERT_EQ(gain.kind, LeaseAction::kGain);
    EXPECT_EQ(gain.leases.size(), lain > 3 ? 3u : 3u - share.size()) << lain;
  }
}

TEST_F(LeaseCoreTest, FailuresAreRetriedWithGrowingPausesNoLongerThanARenewal) {
  LeaseCore core = Core();
  absl::Duration last;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(core.Next().kind, i == 0 ? LeaseAction::kRenew : LeaseAction::kLook);
    core.Failed(Second(i), 0.999);
    const LeaseAction wait = core.Next();
    EXPECT_EQ(wait.kind, LeaseAction::kWait);
    EXPECT_GE(wait.wait, last);
    EXPECT_LE(wait.wait, Second(2));
    last = wait.wait;
  }
}

TEST_F(LeaseCoreTest, ProcessThatHearsNoAnswersDoesNotGoOnProlonging) {
  LeaseCore core = Core();
  TakeAll(core, Second(10));
  core.Next();
  EXPECT_EQ(core.Next().kind, LeaseAction::kRenew);
  core.Failed(Second(12), 0.5);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(core.Next().kind, LeaseAction::kWait);
    EXPECT_EQ(core.Next().kind, LeaseAction::kLook);
    core.Failed(Second(13), 0.5);
  }
  core.Next();
  EXPECT_EQ(core.Next().kind, LeaseAction::kLook);
  core.Looked(Second(14), {});
  EXPECT_EQ(core.Next().kind, LeaseAction::kRenew) << "heard again";
}

TEST_F(LeaseCoreTest, RenewalsKeepTheirPaceWhenTheDatabaseIsSlow) {
  LeaseCore core = Core();
  TakeAll(core, Second(10));
  core.Next();
  core.Next();
  core.Renewed(Second(12), Second(13.5), core.Get(Second(12)), Alone());
  EXPECT_EQ(core.Next().wait, Second(0.5));
}

TEST_F(LeaseCoreTest, StopGivesBackWhatIsHeldAndWhatMayBe) {
  LeaseCore core = Core();
  core.Next();
  core.Renewed(Second(1), Second(1), {}, Alone());
  core.Next();
  core.Failed(Second(1), 0);
  EXPECT_EQ(core.Stop().size(), 3u);
  EXPECT_THAT(core.Get(Second(1)), IsEmpty());
}

}  // namespace
}  // namespace potok::log
