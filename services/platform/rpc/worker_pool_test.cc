#include "platform/rpc/worker_pool.h"

#include <atomic>
#include <memory>
#include <optional>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace potok::rpc {
namespace {

using Clock = std::chrono::steady_clock;

class Probe : public Work {
 public:
  Clock::time_point Deadline() const override { return deadline; }
  bool Gone() const override { return gone; }
  void Run() override {
    started.Notify();
    if (hold != nullptr) hold->WaitForNotification();
    ran = true;
    ended.Notify();
  }
  void Refuse(Refusal why) override {
    refused = why;
    ended.Notify();
  }

  Clock::time_point deadline = Clock::time_point::max();
  bool gone = false;
  absl::Notification* hold = nullptr;
  absl::Notification started;
  absl::Notification ended;
  std::atomic<bool> ran{false};
  std::optional<Refusal> refused;
};

class WorkerPoolTest : public ::testing::Test {
 protected:
  WorkerPoolTest()
      : pool_({.threads = 1, .queue_bound = 2, .now = [this] { return start_ + passed_.load(); }},
              metrics_) {}

  // Keeps the only thread busy until `go_`.
  void Occupy() {
    blocker_.hold = &go_;
    ASSERT_TRUE(pool_.Submit(&blocker_));
    blocker_.started.WaitForNotification();
  }

  const Clock::time_point start_ = Clock::now();
  std::atomic<Clock::duration> passed_{Clock::duration::zero()};
  obs::Metrics metrics_;
  absl::Notification go_;
  Probe blocker_;
  WorkerPool pool_;
};

TEST_F(WorkerPoolTest, AFullQueueRefusesAtOnce) {
  Occupy();
  Probe a, b, c;
  EXPECT_TRUE(pool_.Submit(&a));
  EXPECT_TRUE(pool_.Submit(&b));
  EXPECT_FALSE(pool_.Submit(&c));
  EXPECT_NE(metrics_.Render().find("potok_pool_queue_depth 2"), std::string::npos);
  EXPECT_NE(metrics_.Render().find("potok_pool_rejected_total 1"), std::string::npos);
  go_.Notify();
  b.ended.WaitForNotification();
  EXPECT_TRUE(a.ran);
  EXPECT_TRUE(b.ran);
}

TEST_F(WorkerPoolTest, LateOrUnwantedWorkIsNotStarted) {
  Occupy();
  Probe late, unwanted;
  late.deadline = start_;
  unwanted.gone = true;
  ASSERT_TRUE(pool_.Submit(&late));
  ASSERT_TRUE(pool_.Submit(&unwanted));
  go_.Notify();
  unwanted.ended.WaitForNotification();
  EXPECT_FALSE(late.ran);
  EXPECT_EQ(late.refused, Work::Refusal::kLate);
  EXPECT_FALSE(unwanted.ran);
  EXPECT_EQ(unwanted.refused, Work::Refusal::kGone);
}

TEST_F(WorkerPoolTest, WorkThatWaitedForMoreThanHalfOfItsTimeIsNotStarted) {
  Occupy();
  Probe shed, still_worth_it;
  shed.deadline = start_ + std::chrono::seconds(10);
  still_worth_it.deadline = start_ + std::chrono::seconds(11);
  ASSERT_TRUE(pool_.Submit(&shed));
  ASSERT_TRUE(pool_.Submit(&still_worth_it));
  passed_ = std::chrono::milliseconds(5500);
  go_.Notify();
  still_worth_it.ended.WaitForNotification();
  EXPECT_EQ(shed.refused, Work::Refusal::kHalfGone);
  EXPECT_FALSE(shed.ran);
  EXPECT_TRUE(still_worth_it.ran) << "exactly half is left";
  EXPECT_NE(metrics_.Render().find("potok_pool_abandoned_total{reason=\"half_gone\"} 1"),
            std::string::npos);
}

TEST_F(WorkerPoolTest, StopLetsRunningWorkEndAndRefusesTheRest) {
  Occupy();
  Probe waiting;
  ASSERT_TRUE(pool_.Submit(&waiting));
  std::thread stopper([this] { pool_.Stop(); });
  waiting.ended.WaitForNotification();
  EXPECT_EQ(waiting.refused, Work::Refusal::kStopping);
  go_.Notify();
  stopper.join();
  EXPECT_TRUE(blocker_.ran);
  Probe after;
  EXPECT_FALSE(pool_.Submit(&after));
  pool_.Stop();
}

}  // namespace
}  // namespace potok::rpc
