#include "platform/app/loop.h"

#include <atomic>
#include <stdexcept>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::app {
namespace {

using ::testing::HasSubstr;

LoopOptions Named(const std::string& name) {
  LoopOptions options;
  options.name = name;
  options.backoff.initial = absl::Milliseconds(1);
  options.backoff.cap = absl::Milliseconds(2);
  return options;
}

TEST(Loop, AWakeCutsTheRestShort) {
  obs::Metrics metrics;
  std::atomic<int> turns{0};
  absl::Notification first, second;
  Loop loop(
      Named("relay"),
      [&](const std::stop_token&) -> absl::StatusOr<absl::Duration> {
        const int turn = ++turns;
        if (turn == 1) first.Notify();
        if (turn == 2) second.Notify();
        return absl::InfiniteDuration();
      },
      metrics);
  loop.Start();
  first.WaitForNotification();
  loop.Wake();
  second.WaitForNotification();
  loop.Stop();
  EXPECT_EQ(turns, 2);
  EXPECT_THAT(metrics.Render(),
              HasSubstr("potok_loop_turns_total{loop=\"relay\",outcome=\"ok\"} 2"));
  EXPECT_THAT(metrics.Render(), HasSubstr("potok_loop_lag_seconds{loop=\"relay\"}"));
}

TEST(Loop, AnErrorOrAnExceptionIsRepeated) {
  obs::Metrics metrics;
  std::atomic<int> turns{0};
  absl::Notification healed;
  Loop loop(
      Named("fire"),
      [&](const std::stop_token&) -> absl::StatusOr<absl::Duration> {
        const int turn = ++turns;
        if (turn == 1) return absl::UnavailableError("no database");
        if (turn == 2) throw std::runtime_error("a fault");
        if (turn == 3) healed.Notify();
        return absl::InfiniteDuration();
      },
      metrics);
  loop.Start();
  healed.WaitForNotification();
  loop.Stop();
  EXPECT_THAT(metrics.Render(), HasSubstr("outcome=\"error\"} 2"));
}

TEST(Loop, StopIsLegalBeforeStartTwiceAndDuringAPause) {
  obs::Metrics metrics;
  LoopOptions slow = Named("slow");
  slow.backoff.initial = slow.backoff.cap = absl::Hours(1);
  absl::Notification failed;
  Loop loop(
      slow,
      [&](const std::stop_token&) -> absl::StatusOr<absl::Duration> {
        failed.Notify();
        return absl::UnavailableError("x");
      },
      metrics);
  loop.Start();
  failed.WaitForNotification();
  loop.Stop();
  loop.Stop();

  Loop never(
      Named("never"), [](const std::stop_token&) { return absl::ZeroDuration(); }, metrics);
  never.Stop();
  never.Start();
}

TEST(Wakeup, ARingBeforeTheWaitIsNotLost) {
  Wakeup wakeup;
  wakeup.Notify();
  wakeup.Notify();
  EXPECT_TRUE(wakeup.WaitFor(absl::InfiniteDuration(), std::stop_token()));
  EXPECT_FALSE(wakeup.WaitFor(absl::Milliseconds(1), std::stop_token()));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(wakeup.WaitFor(absl::InfiniteDuration(), stop.get_token()));
}

}  // namespace
}  // namespace potok::app
