#include "router/work/flow_order.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::router {
namespace {

using ::testing::ElementsAre;

// One worker alone, until nothing is left.
std::vector<std::string> RunAll(FlowOrder& order) {
  std::vector<std::string> flows;
  while (order.ready()) {
    const FlowOrder::Turn turn = order.Next();
    flows.push_back(turn.flow);
    order.Done(turn, false);
  }
  return flows;
}

TEST(FlowOrder, WhatIsWokenGoesBeforeAllThatASweepFound) {
  FlowOrder order;
  for (const std::string flow : {"a", "b", "c"}) order.Add(flow, /*woken=*/false);
  order.Add("filed", /*woken=*/true);
  order.Add("b", /*woken=*/true);
  order.Add("b", /*woken=*/false);
  EXPECT_THAT(RunAll(order), ElementsAre("filed", "b", "a", "c"));
  EXPECT_TRUE(order.idle());
}

TEST(FlowOrder, AFlowThatIsAlwaysWokenIsToldThatASweepFoundIt) {
  FlowOrder order;
  order.Add("a", /*woken=*/true);
  order.Add("a", /*woken=*/false);
  const FlowOrder::Turn first = order.Next();
  EXPECT_TRUE(first.swept);
  order.Add("a", true);
  order.Done(first, false);
  const FlowOrder::Turn second = order.Next();
  EXPECT_FALSE(second.swept);
  order.Add("a", false);
  order.Done(second, /*more=*/true);
  const FlowOrder::Turn third = order.Next();
  EXPECT_TRUE(third.swept);
  // Its batch was full, so that it did not come to what it does for a sweep.
  order.Done(third, /*more=*/true, /*keep_swept=*/true);
  EXPECT_TRUE(order.Next().swept);
}

TEST(FlowOrder, OneWorkerAtATimeGoesThroughWhatASweepFound) {
  FlowOrder order;
  order.Add("a", false);
  order.Add("b", false);
  const FlowOrder::Turn first = order.Next();
  EXPECT_FALSE(order.ready()) << "the other worker is kept for what will be filed";
  order.Add("filed", true);
  ASSERT_TRUE(order.ready());
  EXPECT_EQ(order.Next().flow, "filed");
  order.Done(first, false);
  EXPECT_EQ(order.Next().flow, "b");
}

TEST(FlowOrder, WakesWithoutEndDoNotKeepTheSweepFromItsTurn) {
  FlowOrder order;
  order.Add("found", false);
  order.Add("busy", true);
  std::vector<std::string> flows;
  for (int i = 0; i < 6; ++i) {
    const FlowOrder::Turn turn = order.Next();
    flows.push_back(turn.flow);
    order.Done(turn, /*more=*/turn.flow == "busy");
  }
  EXPECT_THAT(flows, ElementsAre("busy", "busy", "busy", "busy", "found", "busy"));
}

TEST(FlowOrder, AFlowThatIsWokenDuringItsTurnHasAnotherAndNeverTwoAtOnce) {
  FlowOrder order;
  order.Add("a", true);
  const FlowOrder::Turn turn = order.Next();
  order.Add("a", false);
  order.Add("a", true);
  EXPECT_FALSE(order.ready());
  order.Done(turn, false);
  EXPECT_FALSE(order.idle());
  EXPECT_THAT(RunAll(order), ElementsAre("a"));
}

}  // namespace
}  // namespace potok::router
