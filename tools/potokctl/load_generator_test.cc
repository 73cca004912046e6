#include "load_generator.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "gmock/gmock.h"

namespace potok::ctl {
namespace {

using ::testing::Each;
using ::testing::Ge;

TEST(GenerateLoad, AClosedLoopKeepsItsSlotsFullAndEndsAtTheCount) {
  std::atomic<int> now{0}, most{0};
  std::mutex mu;
  std::set<int64_t> numbers;
  std::vector<std::thread> servers;
  LoadPlan plan;
  plan.slots = 4;
  plan.count = 40;
  const LoadResult result =
      GenerateLoad(plan, [&](int64_t i, std::function<void(const grpc::Status&)> done) {
        const int here = ++now;
        for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
        }
        std::lock_guard lock(mu);
        numbers.insert(i);
        servers.emplace_back([&now, done = std::move(done)] {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          --now;
          done(grpc::Status::OK);
        });
      });
  for (std::thread& server : servers) server.join();
  EXPECT_EQ(result.answered, 40);
  EXPECT_EQ(numbers.size(), 40u);
  EXPECT_EQ(*numbers.rbegin(), 39);
  EXPECT_EQ(most, 4);
  EXPECT_THAT(result.seconds, Each(Ge(0.002)));
}

TEST(GenerateLoad, FailuresAreCountedByTheirReasonAndAreNotThroughput) {
  LoadPlan plan;
  plan.slots = 1;
  plan.count = 10;
  const LoadResult result =
      GenerateLoad(plan, [](int64_t i, std::function<void(const grpc::Status&)> done) {
        done(i % 2 == 0 ? grpc::Status::OK
                        : grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "busy"));
      });
  EXPECT_EQ(result.answered, 5);
  EXPECT_EQ(result.failed.at("status 8: busy"), 5);
}

TEST(GenerateLoad, AnOpenLoopCountsFromWhenACallShouldHaveBeenSent) {
  LoadPlan plan;
  plan.rate = 1000;
  plan.count = 20;
  // Each call blocks its sender for longer than the gap: the delay of later calls must show, not
  // vanish.
  const LoadResult result =
      GenerateLoad(plan, [](int64_t, std::function<void(const grpc::Status&)> done) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        done(grpc::Status::OK);
      });
  ASSERT_EQ(result.seconds.size(), 20u);
  EXPECT_GE(result.seconds.back(), 0.060);
}

TEST(GenerateLoad, TheWarmUpIsNotCounted) {
  LoadPlan plan;
  plan.rate = 200;
  plan.warm_up = absl::Milliseconds(100);
  plan.length = absl::Milliseconds(100);
  std::atomic<int> sent{0};
  const LoadResult result =
      GenerateLoad(plan, [&](int64_t, std::function<void(const grpc::Status&)> done) {
        ++sent;
        done(grpc::Status::OK);
      });
  EXPECT_GT(sent, result.answered);
  EXPECT_LE(result.length, absl::Milliseconds(100));
}

}  // namespace
}  // namespace potok::ctl
