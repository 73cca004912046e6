#include "analytics/domain/health.h"

#include "gtest/gtest.h"

namespace potok::analytics {
namespace {

TEST(Health, AQuietFlowIsGreenWithoutReasons) {
  const Health health = Judge(desk::Flow{}, {});
  EXPECT_EQ(health.colour, Colour::kGreen);
  EXPECT_TRUE(health.reasons.empty());
}

TEST(Health, EachThresholdTurnsTheColourExactlyWhenItIsPassed) {
  const desk::Flow flow;  // Shipped: 90 / 75 % on time, 60 / 240 min, overload above 5.
  struct Case {
    HealthFacts facts;
    Colour colour;
  };
  const Case cases[] = {
      {{.judged = 100, .on_time = 90}, Colour::kGreen},
      {{.judged = 100, .on_time = 89}, Colour::kYellow},
      {{.judged = 100, .on_time = 75}, Colour::kYellow},
      {{.judged = 100, .on_time = 74}, Colour::kRed},
      {{.judged = 4, .on_time = 0}, Colour::kGreen},
      {{.queued = 1, .oldest_wait = absl::Minutes(60)}, Colour::kGreen},
      {{.queued = 1, .oldest_wait = absl::Minutes(61)}, Colour::kYellow},
      {{.queued = 1, .oldest_wait = absl::Minutes(241)}, Colour::kRed},
      {{.queued = 5}, Colour::kGreen},
      {{.queued = 6}, Colour::kYellow},
      {{.queued = 11}, Colour::kRed},
      {{.overdue = 1}, Colour::kYellow},
  };
  for (const Case& c : cases) {
    const Health health = Judge(flow, c.facts);
    EXPECT_EQ(health.colour, c.colour) << c.facts.queued << " " << c.facts.on_time;
    EXPECT_EQ(health.reasons.empty(), c.colour == Colour::kGreen);
  }
}

TEST(Health, TheWorstReasonComesFirst) {
  const Health health =
      Judge(desk::Flow{}, {.queued = 6, .overdue = 2, .judged = 10, .on_time = 1});
  EXPECT_EQ(health.colour, Colour::kRed);
  ASSERT_EQ(health.reasons.size(), 3u);
  EXPECT_EQ(health.reasons[0].en, "10 % on time, at least 90 % wanted");
}

}  // namespace
}  // namespace potok::analytics
