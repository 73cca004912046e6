#include "intake/rpc/dead_letters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "base/error.h"
#include "intake/rpc/reference_fixture.h"
#include "intake/sql.h"
#include "platform/testing/signal.h"

namespace potok::intake {
namespace {

namespace wire = admin::v1;

using ::potok::testing::Eventually;
using ::potok::testing::IsOk;
using ::potok::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class DeadLettersTest : public ReferenceFixture {
 protected:
  DeadLettersTest() : letters_(pool_, tokens_, clock_, metrics_) {}

  // Entries of `group`, topic 1 + i % 3, part i % 16, position 1 + i, parked a second apart.
  void Park(const std::string& group, int count) {
    database_.Query(absl::StrCat(
        "INSERT INTO ledger.dlq (grp, topic, part, pos, entity, version, type, attempts, reason, "
        "state, parked_at) SELECT '",
        group, "', 1 + i % 3, i % 16, 1 + i, gen_random_uuid(), 1, 'created', 5 + i % 2, ",
        "'INTERNAL: template ' || i, 'parked', '2026-01-01T00:00:00Z'::timestamptz + i * interval "
        "'1 second' FROM generate_series(0, ",
        count - 1, ") AS i"));
  }
  std::vector<std::string> List(const std::string& filter, const std::string& order = "",
                                int page_size = 0, int64_t* total = nullptr) {
    std::vector<std::string> names;
    wire::ListDeadLettersRequest request;
    request.set_filter(filter);
    request.set_order_by(order);
    request.set_page_size(page_size);
    request.set_with_total(total != nullptr);
    do {
      const auto page = letters_.List(Admin("ListDeadLetters"), request);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) break;
      for (const wire::DeadLetter& each : page->dead_letters()) names.push_back(each.name());
      if (total != nullptr) *total = page->total_size();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return names;
  }
  wire::DeadLetter Get(const std::string& name) {
    wire::GetDeadLetterRequest request;
    request.set_name(name);
    const auto letter = letters_.Get(Admin("GetDeadLetter"), request);
    EXPECT_THAT(letter, IsOk());
    return letter.ok() ? *letter : wire::DeadLetter();
  }
  absl::StatusOr<wire::ReplayDeadLettersResponse> Replay(const std::string& filter, double rate,
                                                         int request_id) {
    wire::ReplayDeadLettersRequest request;
    request.set_filter(filter);
    request.set_rate_per_second(rate);
    request.set_request_id(RequestId(request_id));
    return letters_.Replay(Admin("ReplayDeadLetters"), request);
  }
  absl::StatusOr<wire::DropDeadLettersResponse> Drop(const std::string& filter, int request_id) {
    wire::DropDeadLettersRequest request;
    request.set_filter(filter);
    request.set_reason("не нужно: заявку уже закрыли");
    request.set_request_id(RequestId(request_id));
    return letters_.Drop(Admin("DropDeadLetters"), request);
  }
  int Int(const std::string& sql) { return std::stoi("0" + database_.Query(sql)); }

  obs::Metrics metrics_;
  DeadLetters letters_;
};

TEST_F(DeadLettersTest, AListIsFilteredSortedAndCutIntoPagesThatNeverTear) {
  Park("notifier", 40);
  Park("router", 5);
  database_.Query(
      "UPDATE ledger.dlq SET state = 'dropped', note = 'no' WHERE grp = 'router' AND pos = 1");
  EXPECT_THAT(List(""), SizeIs(44)) << "what waits for somebody";
  EXPECT_THAT(List("state = DROPPED"), ElementsAre("deadLetters/router-assignment-0-1"));
  EXPECT_THAT(List("group = router AND reason:\"template 3\""),
              ElementsAre("deadLetters/router-assignment-3-4"));
  EXPECT_THAT(List("topic = lifecycle AND part = 2 AND group = notifier"),
              ElementsAre("deadLetters/notifier-lifecycle-2-3"));
  EXPECT_THAT(
      List("park_time >= \"2026-01-01T00:00:38Z\"", "park_time desc"),
      ElementsAre("deadLetters/notifier-assignment-7-40", "deadLetters/notifier-lifecycle-6-39"));
  // Equal instants of two groups, equal attempts: pages of any size give every row once.
  for (const char* order : {"", "park_time", "park_time desc", "attempt_count desc, park_time",
                            "replay_time, group desc"}) {
    int64_t total = 0;
    const std::vector<std::string> whole = List("", order);
    EXPECT_EQ(List("", order, 7, &total), whole) << order;
    EXPECT_EQ(total, 44);
    EXPECT_THAT(std::set<std::string>(whole.begin(), whole.end()), SizeIs(44));
  }
}

TEST_F(DeadLettersTest, APageTokenOfOtherArgumentsIsRefused) {
  Park("notifier", 3);
  wire::ListDeadLettersRequest request;
  request.set_page_size(1);
  const auto first = letters_.List(Admin("ListDeadLetters"), request);
  ASSERT_THAT(first, IsOk());
  request.set_page_token(first->next_page_token());
  request.set_order_by("park_time");
  const auto other = letters_.List(Admin("ListDeadLetters"), request);
  EXPECT_EQ(GetErrorDetail(other.status()).reason, "PAGE_TOKEN_INVALID");
}

TEST_F(DeadLettersTest, OneIsShownWithAllThatIsKnownOfIt) {
  Park("notifier", 1);
  const wire::DeadLetter letter = Get("deadLetters/notifier-assignment-0-1");
  EXPECT_EQ(letter.state(), wire::DeadLetter::STATE_PARKED);
  EXPECT_EQ(letter.event_type(), "created");
  EXPECT_EQ(letter.attempt_count(), 5);
  EXPECT_EQ(letter.reason(), "INTERNAL: template 0");
  EXPECT_FALSE(letter.has_replay_time());
  EXPECT_FALSE(letter.has_settle_time());
  wire::GetDeadLetterRequest request;
  request.set_name("deadLetters/notifier-assignment-0-2");
  const auto none = letters_.Get(Admin("GetDeadLetter"), request);
  EXPECT_THAT(none.status(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DeadLettersTest, AReplayIsSpreadByItsRateOldestFirst) {
  Park("notifier", 41);
  Park("router", 2);
  const auto answer = Replay("state = PARKED AND group = notifier", 20, 1);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->scheduled_count(), 41);
  EXPECT_EQ(answer->remaining_count(), 0);
  // 41 at 20 a second: the last is due two seconds after the first, each 50 ms after the one
  // before.
  EXPECT_EQ(
      Int("SELECT count(*) FROM (SELECT replay_at - lag(replay_at) OVER (ORDER BY parked_at) AS "
          "step FROM ledger.dlq WHERE grp = 'notifier') s WHERE step = interval '50 ms'"),
      40);
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq WHERE replay_at IS NOT NULL"), 41);
  EXPECT_EQ(
      database_.Query("SELECT count(*) FROM ledger.dlq WHERE requested_by = 'users/admin' AND "
                      "replay_request = '" +
                      RequestId(1) + "'"),
      "41");
  EXPECT_EQ(List("replay_request_id = \"" + RequestId(1) + "\" AND replay_time:*"),
            List("group = notifier"));
  EXPECT_EQ(absl::ToUnixMicros(absl::FromUnixSeconds(answer->last_replay_time().seconds()) +
                               absl::Nanoseconds(answer->last_replay_time().nanos())),
            std::stoll(database_.Query(
                "SELECT (extract(epoch FROM max(replay_at)) * 1e6)::bigint FROM ledger.dlq")));
}

TEST_F(DeadLettersTest, TheSameRequestIsAnsweredAgainAndScheduledOnce) {
  Park("notifier", 3);
  const auto first = Replay("state = PARKED", 1, 1);
  ASSERT_THAT(first, IsOk());
  // One has been carried out since; a repeat must not schedule anything anew.
  database_.Query("UPDATE ledger.dlq SET replay_at = NULL, attempts = 6 WHERE pos = 1");
  const auto again = Replay("state = PARKED", 1, 1);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Int("SELECT count(*) FROM ledger.dlq WHERE replay_at IS NULL"), 1);
  const auto other = Replay("state = PARKED", 2, 1);
  EXPECT_EQ(GetErrorDetail(other.status()).reason, "REQUEST_ID_REUSED");
}

TEST_F(DeadLettersTest, NamedOnesAreTakenAndSettledOnesAreCounted) {
  Park("notifier", 3);
  database_.Query("UPDATE ledger.dlq SET state = 'replayed' WHERE pos = 2");
  wire::ReplayDeadLettersRequest request;
  for (const std::string& name : List("part <= 1 AND state = (PARKED OR REPLAYED)")) {
    request.add_names(name);
    request.add_names(name);  // Twice is once.
  }
  request.set_request_id(RequestId(1));
  const auto answer = letters_.Replay(Admin("ReplayDeadLetters"), request);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->scheduled_count(), 1);
  EXPECT_EQ(answer->settled_count(), 1);
  request.add_names("deadLetters/notifier-assignment-0-99");
  request.set_request_id(RequestId(2));
  const auto unknown = letters_.Replay(Admin("ReplayDeadLetters"), request);
  EXPECT_THAT(unknown.status(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("notifier-assignment-0-99"));
}

TEST_F(DeadLettersTest, EitherNamesOrAFilterSelects) {
  wire::DropDeadLettersRequest request;
  request.set_reason("mistake");
  request.set_request_id(RequestId(1));
  EXPECT_THAT(letters_.Drop(Admin("DropDeadLetters"), request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_filter("state = PARKED");
  request.add_names("deadLetters/notifier-assignment-0-1");
  EXPECT_THAT(letters_.Drop(Admin("DropDeadLetters"), request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request.clear_names();
  request.set_filter("color = red");
  EXPECT_EQ(GetErrorDetail(letters_.Drop(Admin("DropDeadLetters"), request).status()).reason,
            "FILTER_INVALID");
}

TEST_F(DeadLettersTest, ADropKeepsItsReasonAndEndsWhatWasScheduled) {
  Park("notifier", 3);
  Park("router", 1);
  ASSERT_THAT(Replay("state = PARKED", 0.001, 1), IsOk());
  const auto answer = Drop("group = notifier AND part >= 1", 2);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->dropped_count(), 2);
  const wire::DeadLetter letter = Get("deadLetters/notifier-escalation-1-2");
  EXPECT_EQ(letter.state(), wire::DeadLetter::STATE_DROPPED);
  EXPECT_EQ(letter.drop_reason(), "не нужно: заявку уже закрыли");
  EXPECT_EQ(letter.requested_by(), "users/admin");
  EXPECT_TRUE(letter.has_settle_time());
  EXPECT_FALSE(letter.has_replay_time());
  // Again: the same answer, counted once; and nothing that is settled is dropped by another call.
  EXPECT_EQ(Drop("group = notifier AND part >= 1", 2)->dropped_count(), 2);
  EXPECT_EQ(Drop("group = notifier AND part >= 1", 3)->dropped_count(), 0);
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("potok_dead_letters_dropped_total{group=\"notifier\"} 2"));
  EXPECT_THAT(List(""), SizeIs(2));
}

TEST_F(DeadLettersTest, MoreThanOneCallTakesIsToldAsRemaining) {
  Park("analytics", 10001);
  const auto answer = Replay("state = PARKED", 1000, 1);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->scheduled_count(), 10000);
  EXPECT_EQ(answer->remaining_count(), 1);
  EXPECT_EQ(Drop("state = PARKED", 2)->remaining_count(), 1);
  EXPECT_EQ(Drop("state = PARKED", 3)->dropped_count(), 1);
}

TEST_F(DeadLettersTest, ADropWaitsForTheReplayThatIsUnderWayAndThenLeavesItAlone) {
  Park("notifier", 1);
  std::thread dropper;
  absl::StatusOr<wire::DropDeadLettersResponse> answer = absl::UnknownError("not yet");
  const absl::Status replayed =
      pg::InTransaction(database_.pool(), {}, [&](pg::Tx& tx) -> absl::Status {
        tx.RunText("UPDATE ledger.dlq SET state = 'replayed'");
        dropper = std::thread([&] { answer = Drop("state = PARKED", 1); });
        EXPECT_TRUE(Eventually([&] { return database_.SomebodyWaitsForALock(); }));
        return absl::OkStatus();
      });
  dropper.join();
  ASSERT_THAT(replayed, IsOk());
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->dropped_count(), 0);
  EXPECT_EQ(database_.Query("SELECT state FROM ledger.dlq"), "replayed");
}

TEST_F(DeadLettersTest, EveryStatementFitsTheSchema) {
  EXPECT_THAT(testing::PrepareAll(database_, sql::kAllStatements), IsOk());
}

}  // namespace
}  // namespace potok::intake
