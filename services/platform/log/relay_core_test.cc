#include "platform/log/relay_core.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Duration Ms(int n) { return absl::Milliseconds(n); }

TEST(RelayRepair, FollowsFromWhatEachSideKnows) {
  using Seen = StreamSeen;
  using Do = StreamRepair;
  const struct {
    const char* what;
    StreamHead head;
    StreamSeen seen;
    StreamRepair repair;
  } rows[] = {
      {"both empty", {0, 0, 1}, {Seen::kNoKey, 0}, {Do::kNothing, 0}},
      {"in line", {7, 3, 1}, {Seen::kLast, 7}, {Do::kNothing, 0}},
      {"behind", {7, 3, 1}, {Seen::kLast, 5}, {Do::kFill, 5}},
      {"lost", {7, 0, 1}, {Seen::kNoKey, 0}, {Do::kFill, 0}},
      {"lost, some of it consumed by all", {7, 4, 1}, {Seen::kNoKey, 0}, {Do::kFill, 4}},
      {"behind what all have consumed", {7, 6, 1}, {Seen::kLast, 2}, {Do::kFill, 6}},
      {"lost, all of it consumed", {7, 7, 1}, {Seen::kNoKey, 0}, {Do::kNothing, 0}},
      {"ahead by one", {7, 7, 1}, {Seen::kLast, 8}, {Do::kRaise, 0}},
      {"not a stream", {7, 7, 1}, {Seen::kUnusable, 0}, {Do::kRaise, 0}},
  };
  for (const auto& row : rows) EXPECT_EQ(Repair(row.head, row.seen), row.repair) << row.what;
}

// A relay of one part with one stream; the test answers for the database and for Redis.
class RelayCoreTest : public ::testing::Test {
 protected:
  static constexpr Stream kStream{1, 0};

  RelayCoreTest()
      : core_({.batch_per_part = 4,
               .page = 2,
               .busy_poll = Ms(20),
               .idle_poll = Ms(200),
               .check_redis = Ms(1000),
               .trim = Ms(10000),
               .prune = Ms(30000)}) {}

  RelayAction Begin(std::int64_t version = 1) {
    core_.BeginTurn(now_, {{0, "token"}}, version, link_);
    return core_.Next(now_);
  }
  RelayAction Next() { return core_.Next(now_); }
  // From the beginning of a turn to the sequencing, through a check in which Redis shows `seen`.
  RelayAction Check(const StreamHead& head, const StreamSeen& seen, bool memory_low = false) {
    RelayAction action = Begin();
    if (action.kind == RelayAction::kProbe) {
      core_.Probed();
      action = Next();
    }
    EXPECT_EQ(action.kind, RelayAction::kLook);
    core_.Looked({{kStream, head}});
    EXPECT_EQ(Next().kind, RelayAction::kInspect);
    core_.Inspected(now_, memory_low, {seen}, link_);
    return Next();
  }
  static std::vector<Announcement> Entries(std::int64_t from, std::int64_t to) {
    std::vector<Announcement> entries;
    for (std::int64_t pos = from; pos <= to; ++pos) entries.push_back({Entry(pos), 1});
    return entries;
  }
  static LogEntry Entry(std::int64_t pos) {
    return {
        .topic = 1, .part = 0, .pos = pos, .entity = "e", .version = pos, .type = "t", .at = {}};
  }
  static std::vector<std::int64_t> Positions(const RelayAction& action) {
    std::vector<std::int64_t> positions;
    for (const Announcement& next : action.entries) positions.push_back(next.entry.pos);
    return positions;
  }

  RelayCore core_;
  absl::Duration now_ = absl::Seconds(100);
  RelayCore::Link link_{1, true};
};

TEST_F(RelayCoreTest, NewOwnerComparesBeforeItMovesAnything) {
  EXPECT_EQ(Check({0, 0, 1}, {}).kind, RelayAction::kSequence);
  core_.Sequenced({});
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  EXPECT_EQ(Begin().kind, RelayAction::kSequence) << "the same leases, the same second";
  core_.Sequenced({});
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  EXPECT_EQ(Begin(2).kind, RelayAction::kLook) << "other leases";
}

TEST_F(RelayCoreTest, WhatALateTransactionMovedAndNobodyAnnouncedIsFilledBeforeWhatFollows) {
  Check({4, 0, 1}, {StreamSeen::kLast, 4});
  core_.Sequenced(Entries(7, 7));  // 5 and 6: a transaction that was given up has committed
  RelayAction read = Next();
  ASSERT_EQ(read.kind, RelayAction::kRead);
  EXPECT_EQ(read.after, 4);
  core_.LogRead({Entry(5), Entry(6)});
  EXPECT_THAT(Positions(Next()), ElementsAre(5, 6));
  core_.Sent({});
  EXPECT_EQ(Next().wait, absl::ZeroDuration());
  Begin();
  core_.Sequenced({});
  read = Next();
  ASSERT_EQ(read.kind, RelayAction::kRead);
  EXPECT_EQ(read.after, 6);
  core_.LogRead({Entry(7)});
  EXPECT_THAT(Positions(Next()), ElementsAre(7));
  core_.Sent({});
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  Begin();
  core_.Sequenced(Entries(8, 8));
  EXPECT_THAT(Positions(Next()), ElementsAre(8));
}

TEST_F(RelayCoreTest, SendsWhatItSequencedAndPollsFasterAfterWork) {
  Check({0, 0, 1}, {});
  core_.Sequenced(Entries(1, 2));
  const RelayAction send = Next();
  EXPECT_EQ(send.kind, RelayAction::kSend);
  EXPECT_THAT(Positions(send), ElementsAre(1, 2));
  core_.Sent({});
  EXPECT_EQ(Next().wait, Ms(20));
  EXPECT_EQ(Begin().kind, RelayAction::kSequence);
  core_.Sequenced({});
  EXPECT_EQ(Next().wait, Ms(200));
}

TEST_F(RelayCoreTest, FullPageMeansThatMoreIsWaiting) {
  Check({0, 0, 1}, {});
  core_.Sequenced(Entries(1, 4));
  EXPECT_EQ(Next().kind, RelayAction::kSend);
  core_.Sent({});
  EXPECT_EQ(Next().wait, absl::ZeroDuration());
}

TEST_F(RelayCoreTest, ReconnectionIsReasonToCompare) {
  Check({0, 0, 1}, {});
  core_.Sequenced({});
  Next();
  link_ = {2, true};
  EXPECT_EQ(Begin().kind, RelayAction::kLook);
  core_.Looked({{kStream, {}}});
  Next();
  core_.Inspected(now_, false, {{}}, link_);
  Next();
  core_.Sequenced({});
  Next();
  link_ = {2, false};
  EXPECT_EQ(Begin().kind, RelayAction::kLook) << "the next command would go to a new connection";
}

TEST_F(RelayCoreTest, SequencingGoesOnWhileRedisIsAwayAndNothingIsSent) {
  EXPECT_EQ(Begin().kind, RelayAction::kProbe);
  core_.RedisFailed();
  EXPECT_EQ(Next().kind, RelayAction::kSequence);
  core_.Sequenced(Entries(1, 2));
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  EXPECT_EQ(Begin().kind, RelayAction::kSequence) << "not probed at each turn";
  core_.Sequenced({});
  Next();
  now_ += Ms(1000);
  EXPECT_EQ(Begin().kind, RelayAction::kProbe);
}

TEST_F(RelayCoreTest, LongRefillTakesOnePageATurnAndKeepsTheOrder) {
  EXPECT_EQ(Check({5, 0, 1}, {}).kind, RelayAction::kSequence);
  core_.Sequenced(Entries(6, 6));  // waits for its turn in the refill
  std::vector<std::int64_t> sent;
  for (int turn = 0; turn < 3; ++turn) {
    const RelayAction read = Next();
    ASSERT_EQ(read.kind, RelayAction::kRead) << turn;
    EXPECT_EQ(read.after, 2 * turn);
    EXPECT_EQ(read.limit, 2);
    core_.LogRead({Entry(read.after + 1), Entry(read.after + 2)});
    const RelayAction send = Next();
    for (const std::int64_t pos : Positions(send)) sent.push_back(pos);
    EXPECT_TRUE(core_.sending_from_log());
    core_.Sent({});
    EXPECT_EQ(Next().wait, turn < 2 ? absl::ZeroDuration() : Ms(200));
    EXPECT_EQ(Begin().kind, RelayAction::kSequence) << "sequencing does not wait for the refill";
    core_.Sequenced({});
  }
  EXPECT_THAT(sent, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  Begin();
  core_.Sequenced(Entries(7, 7));
  EXPECT_THAT(Positions(Next()), ElementsAre(7)) << "filled: new entries go at once again";
}

TEST_F(RelayCoreTest, StreamAheadOfTheDatabaseBeginsAnewUnderTheToken) {
  const RelayAction raise = Check({3, 1, 4}, {StreamSeen::kLast, 9});
  ASSERT_EQ(raise.kind, RelayAction::kRaise);
  EXPECT_EQ(raise.stream, kStream);
  EXPECT_EQ(raise.token, "token");
  core_.Raised(5);
  const RelayAction drop = Next();
  ASSERT_EQ(drop.kind, RelayAction::kDrop);
  ASSERT_THAT(drop.places, SizeIs(2));
  EXPECT_EQ(drop.places[0].incarnation, 4);
  EXPECT_EQ(drop.places[1].incarnation, 5) << "a failover may have forgotten an earlier 5";
  core_.Dropped();
  EXPECT_EQ(Next().kind, RelayAction::kSequence);
  core_.Sequenced({});
  const RelayAction read = Next();
  EXPECT_EQ(read.kind, RelayAction::kRead);
  EXPECT_EQ(read.after, 1) << "what all groups have passed is of no use";
  core_.LogRead({Entry(2), Entry(3)});
  EXPECT_EQ(Next().entries[0].incarnation, 5);
}

TEST_F(RelayCoreTest, OwnerWithoutTheTokenLeavesTheIncarnationToItsSuccessor) {
  ASSERT_EQ(Check({3, 1, 4}, {StreamSeen::kLast, 9}).kind, RelayAction::kRaise);
  core_.Raised(std::nullopt);
  EXPECT_EQ(Next().kind, RelayAction::kSequence);
}

TEST_F(RelayCoreTest, MemoryRunningLowPausesSendingTrimsAndResumesWithARefill) {
  EXPECT_EQ(Check({4, 1, 1}, {StreamSeen::kLast, 2}, /*memory_low=*/true).kind,
            RelayAction::kSequence);
  EXPECT_TRUE(core_.paused());
  core_.Sequenced(Entries(5, 6));
  EXPECT_EQ(Next().kind, RelayAction::kLook) << "trimming is what makes room";
  core_.Looked({{kStream, {6, 2, 1}}});
  const RelayAction trim = Next();
  EXPECT_EQ(trim.kind, RelayAction::kTrim);
  EXPECT_EQ(trim.places[0].keep, 3) << "never what a group has not passed";
  core_.Trimmed();
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  now_ += Ms(1000);
  EXPECT_EQ(Check({6, 2, 1}, {StreamSeen::kLast, 2}).kind, RelayAction::kSequence);
  EXPECT_FALSE(core_.paused());
  core_.Sequenced({});
  EXPECT_EQ(Next().after, 2);
}

TEST_F(RelayCoreTest, OutOfMemoryPausesUntilTheNextLookAndNeverStopsTheSequencing) {
  Check({0, 0, 1}, {});
  core_.Sequenced(Entries(1, 2));
  Next();
  core_.Sent({SendResult::kFull, false});
  EXPECT_TRUE(core_.redis_up());
  EXPECT_TRUE(core_.paused());
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  EXPECT_EQ(Begin().kind, RelayAction::kSequence);
  core_.Sequenced(Entries(3, 3));
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  now_ += Ms(1000);
  Check({3, 0, 1}, {StreamSeen::kLast, 1});
  core_.Sequenced({});
  EXPECT_EQ(Next().after, 1) << "what was not taken is added again";
}

TEST_F(RelayCoreTest, RefusedIdAndLostAnswerAreReasonsToCompare) {
  Check({0, 0, 1}, {});
  core_.Sequenced(Entries(1, 1));
  Next();
  core_.Sent({SendResult::kDone, true});
  Next();
  EXPECT_EQ(Begin().kind, RelayAction::kLook);
  core_.Looked({{kStream, {1, 0, 1}}});
  Next();
  core_.Inspected(now_, false, {{StreamSeen::kLast, 1}}, link_);
  Next();
  core_.DatabaseFailed(0.5);  // were rows moved?
  const RelayAction wait = Next();
  EXPECT_EQ(wait.kind, RelayAction::kWait);
  EXPECT_GT(wait.wait, absl::ZeroDuration());
  EXPECT_EQ(Begin().kind, RelayAction::kLook);
}

TEST_F(RelayCoreTest, BrokenConnectionIsTriedAgainAtOnceButAServerThatNeverTakesAnythingIsNot) {
  Check({0, 0, 1}, {});
  core_.Sequenced(Entries(1, 1));
  Next();
  core_.Sent({});
  Next();
  Begin();
  core_.Sequenced(Entries(2, 2));
  Next();
  core_.Sent({SendResult::kUnreachable, false});
  Next();
  EXPECT_EQ(Begin().kind, RelayAction::kProbe) << "it worked a moment ago";
  core_.Probed();
  Next();
  core_.Looked({{kStream, {2, 0, 1}}});
  Next();
  core_.Inspected(now_, false, {{StreamSeen::kLast, 1}}, link_);
  Next();
  core_.Sequenced({});
  Next();
  core_.LogRead({Entry(2)});
  Next();
  core_.Sent({SendResult::kUnreachable, false});  // READONLY: it answers, and takes nothing
  Next();
  EXPECT_EQ(Begin().kind, RelayAction::kSequence);
  core_.Sequenced({});
  EXPECT_GT(Next().wait, absl::ZeroDuration());
}

TEST_F(RelayCoreTest, DatabaseFailureInTheCheckStillLetsTheSequencingTry) {
  EXPECT_EQ(Begin().kind, RelayAction::kProbe);
  core_.Probed();
  Next();
  core_.DatabaseFailed(0.5);
  EXPECT_EQ(Next().kind, RelayAction::kSequence);
  core_.Sequenced(Entries(1, 1));
  EXPECT_EQ(Next().kind, RelayAction::kWait) << "nothing is sent before Redis was compared";
  EXPECT_FALSE(core_.redis_up());
}

TEST_F(RelayCoreTest, WithoutLeasesItOnlyWaits) {
  core_.BeginTurn(now_, {}, 1, link_);
  const RelayAction wait = core_.Next(now_);
  EXPECT_EQ(wait.kind, RelayAction::kWait);
  EXPECT_EQ(wait.wait, Ms(200));
  EXPECT_TRUE(core_.turn_ended());
}

TEST_F(RelayCoreTest, TrimmingAndPruningComeAtTheirTimes) {
  Check({8, 5, 3}, {StreamSeen::kLast, 8});
  core_.Sequenced({});
  EXPECT_EQ(Next().kind, RelayAction::kWait);
  now_ += Ms(30000);
  Check({8, 5, 3}, {StreamSeen::kLast, 8});
  core_.Sequenced({});
  EXPECT_EQ(Next().kind, RelayAction::kLook);
  core_.Looked({{kStream, {8, 6, 3}}});
  const RelayAction trim = Next();
  ASSERT_EQ(trim.kind, RelayAction::kTrim);
  EXPECT_EQ(trim.places[0].keep, 7) << "by the offsets of this moment";
  core_.Trimmed();
  EXPECT_EQ(Next().kind, RelayAction::kPrune);
  core_.Pruned();
  EXPECT_EQ(Next().kind, RelayAction::kWait);
}

}  // namespace
}  // namespace potok::log
