#include "ledger/foundation/consumer_meters.h"

#include "gmock/gmock.h"

namespace potok::ledger {
namespace {

using ::testing::HasSubstr;

TEST(ConsumerMeters, ShowEachGroupByItself) {
  obs::Metrics metrics;
  log::ConsumerStats router{.lag = 7, .handled = 10, .hangs = 1, .left_behind = 1};
  log::ConsumerStats notifier{.handled = 5, .parked = 2, .deaths = 3, .standing_aside = true};
  const ConsumerMeters one(metrics, "router", [&] { return router; });
  {
    const ConsumerMeters two(metrics, "notifier", [&] { return notifier; });
    const std::string page = metrics.Render();
    EXPECT_THAT(page, HasSubstr("potok_stream_lag_entries{group=\"router\"} 7"));
    EXPECT_THAT(page, HasSubstr("potok_consumer_left_behind{group=\"router\"} 1"));
    EXPECT_THAT(page, HasSubstr("potok_consumer_handled_total{group=\"router\"} 10"));
    EXPECT_THAT(page, HasSubstr("potok_consumer_handled_total{group=\"notifier\"} 5"));
    EXPECT_THAT(page, HasSubstr("potok_consumer_parked_total{group=\"notifier\"} 2"));
    EXPECT_THAT(page, HasSubstr("potok_consumer_deaths_total{group=\"notifier\"} 3"));
    EXPECT_THAT(page, HasSubstr("potok_consumer_standing_aside{group=\"notifier\"} 1"));
  }
  router.handled = 12;
  router.lag = 0;
  router.hangs = 1;
  const std::string page = metrics.Render();
  EXPECT_THAT(page, HasSubstr("potok_stream_lag_entries{group=\"router\"} 0"));
  EXPECT_THAT(page, HasSubstr("potok_consumer_handled_total{group=\"router\"} 12"));
  EXPECT_THAT(page, HasSubstr("potok_consumer_hangs_total{group=\"router\"} 1"));
}

}  // namespace
}  // namespace potok::ledger
