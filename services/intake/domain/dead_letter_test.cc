#include "intake/domain/dead_letter.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace potok::intake {
namespace {

TEST(DeadLetterNames, SurviveTheirTextAndHaveOneSpelling) {
  const DeadLetterKey key{.group = "notifier", .topic = 3, .part = 11, .position = 4711};
  EXPECT_EQ(DeadLetterName(key), "deadLetters/notifier-lifecycle-11-4711");
  EXPECT_EQ(ParseDeadLetterName(DeadLetterName(key)), key);
  for (const char* bad :
       {"", "deadLetters/", "deadLetters/notifier-lifecycle-11",
        "leases/notifier-lifecycle-11-4711", "deadLetters/notifier-gossip-11-4711",
        "deadLetters/notifier-lifecycle-011-4711",
        "deadLetters/notifier-lifecycle-11-99999999999999999999",
        "deadLetters/notifier-lifecycle-11-4711-1"}) {
    EXPECT_FALSE(ParseDeadLetterName(bad).has_value()) << bad;
  }
}

TEST(DeadLetterFilter, ReadsTheDocumentedFields) {
  for (const char* text :
       {"state = PARKED AND group = notifier AND reason:\"template\"", "group = \"no*\"",
        "topic = lifecycle part = 3 position >= 17", "event_type = created attempt_count > 5",
        "ticket = \"tickets/0190a1b2-c3d4-7005-8000-00000000002a\"", "-replay_time:*",
        "park_time > \"2026-01-01T00:00:00+03:00\" AND state = (REPLAYED OR DROPPED)",
        "replay_request_id = \"0190a1b2-c3d4-7005-8000-00000000002a\"",
        "requested_by = \"users/ivanova\" settle_time:*", "template"}) {
    EXPECT_TRUE(ParseDeadLetterFilter(text).ok()) << text << ParseDeadLetterFilter(text).status();
  }
  EXPECT_EQ(GetErrorDetail(ParseDeadLetterFilter("salary > 5").status()).reason, "FILTER_INVALID");
  // Settled ones are history: nobody sees or touches them who did not ask for them.
  EXPECT_EQ(*ParseDeadLetterFilter(""), *ParseDeadLetterFilter("state = PARKED"));
}

TEST(DeadLetterOrder, TakesOnlySortableFieldsAndEndsWithTheKey) {
  EXPECT_TRUE(ParseDeadLetterOrder("")->empty());
  EXPECT_TRUE(ParseDeadLetterOrder("park_time desc, attempt_count, group, replay_time").ok());
  EXPECT_EQ(GetErrorDetail(ParseDeadLetterOrder("reason").status()).reason, "ORDER_INVALID");
}

TEST(DeadLetterCursors, SurviveTheirTextAndNothingElseIsOne) {
  DeadLetter letter;
  letter.key = {.group = "router", .topic = 1, .part = 0, .position = 2};
  letter.attempts = 6;
  letter.parked_at = absl::FromUnixMicros(1234567890123456);
  const std::vector<desk::OrderTerm> order = {
      {"park_time", true}, {"attempt_count"}, {"replay_time"}};
  const DeadLetterCursor cursor = CursorAt(letter, order);
  EXPECT_EQ(cursor.sorted_by,
            (std::vector<std::string>{"2009-02-13 23:31:30.123456+00", "6", "infinity"}));
  const std::string text = FormatDeadLetterCursor(cursor);
  const auto back = ParseDeadLetterCursor(text, 3);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, cursor);
  for (const std::string& bad : {text + ";1", std::string(), "x" + text}) {
    EXPECT_EQ(GetErrorDetail(ParseDeadLetterCursor(bad, 3).status()).reason, "PAGE_TOKEN_INVALID");
  }
}

}  // namespace
}  // namespace potok::intake
