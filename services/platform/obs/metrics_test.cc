#include "platform/obs/metrics.h"

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::obs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  metrics.Counter("potok_things_total", "Things.", {{"kind", "a"}}).Increment();
  metrics.Counter("potok_things_total", "Things.", {{"kind", "a"}}).Increment();
  EXPECT_THAT(metrics.Render(), HasSubstr("potok_things_total{kind=\"a\"} 2"));
}

TEST(Metrics, AHookSetsItsGaugeBeforeEachScrapeUntilItsHandleDies) {
  Metrics metrics;
  prometheus::Gauge& depth = metrics.Gauge("potok_depth", "Depth.");
  int value = 3;
  {
    const Metrics::Hook hook = metrics.BeforeScrape([&] { depth.Set(value); });
    EXPECT_THAT(metrics.Render(), HasSubstr("potok_depth 3"));
    value = 4;
    EXPECT_THAT(metrics.Render(), HasSubstr("potok_depth 4"));
  }
  value = 5;
  EXPECT_THAT(metrics.Render(), HasSubstr("potok_depth 4"));
}

TEST(Metrics, PortZeroIsReplacedByTheRealPort) {
  Metrics metrics;
  const auto address = metrics.Expose("127.0.0.1:0");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_THAT(*address, Not(HasSubstr(":0")));

  Metrics second;
  const auto taken = second.Expose(*address);
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(taken.status().message(), *address));
}

TEST(Metrics, AnAddressWithoutPortIsExplained) {
  Metrics metrics;
  EXPECT_EQ(metrics.Expose("localhost").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace potok::obs
