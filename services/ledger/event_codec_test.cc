#include "ledger/event_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok::ledger {
namespace {

TEST(EventBody, ReadsBackToItself) {
  desk::Event event;
  event.agent = "anna";
  event.from_agent = "boris";
  event.how = "manual";
  event.line = 2;
  event.score = 5;
  event.front = true;
  event.sla.emplace();
  event.sla->term = absl::Hours(16);
  event.sla->consumed = absl::Minutes(5);
  event.sla->due_at = absl::FromUnixSeconds(1774957600);
  event.sla->gen = 3;
  event.due_at = absl::FromUnixSeconds(1774957600);
  event.timer = desk::TimerKind::kBreach;
  const std::string body = BodyOf(event).dump();
  desk::Event read;
  ReadBody(body, &read);
  EXPECT_EQ(BodyOf(read).dump(), body);
  EXPECT_EQ(read.agent, "anna");
  EXPECT_EQ(read.sla->term, absl::Hours(16));
}

TEST(EventBody, ThatIsDamagedKeepsDefaultsAndNeverThrows) {
  for (const char* body : {
           "",
           "[]",
           "{\"agent\":",
           "{\"agent\":1,\"how\":null,\"timer\":{}}",
           "{\"line\":\"2\",\"gen\":1e300,\"score\":99999999999,\"level\":18446744073709551615}",
           "{\"front\":\"yes\",\"due_at\":1.5,\"autoclose_at\":\"now\"}",
           "{\"sla\":7}",
           "{\"sla\":null}",
       }) {
    desk::Event event;
    ReadBody(body, &event);
    EXPECT_EQ(BodyOf(event).dump(), "{}") << body;
  }
  desk::Event event;
  ReadBody("{\"sla\":{\"gen\":\"x\",\"consumed_us\":[],\"term_us\":1e9},\"agent\":\"anna\"}",
           &event);
  ASSERT_TRUE(event.sla.has_value());
  EXPECT_EQ(event.sla->gen, 0);
  EXPECT_EQ(event.sla->term, std::nullopt);
  EXPECT_EQ(event.agent, "anna");
}

}  // namespace
}  // namespace potok::ledger
