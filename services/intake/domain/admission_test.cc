#include "intake/domain/admission.h"

#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/error.h"

namespace potok::intake {
namespace {

using ::testing::HasSubstr;

constexpr AdmissionState kOpen = AdmissionState::kOpen;
constexpr AdmissionState kLow = AdmissionState::kSheddingLow;
constexpr AdmissionState kAll = AdmissionState::kSheddingAll;

struct Step {
  AdmissionState before;
  std::int64_t rows;
  int lag_s;
  AdmissionState after;
};

TEST(Admission, FollowsItsTable) {
  const AdmissionLimits limits;
  for (const Step& step : std::vector<Step>{
           // Calm.
           {kOpen, 0, 0, kOpen},
           {kOpen, 50000, 30, kOpen},  // At the limit is within it.
           // Each limit by itself.
           {kOpen, 50001, 0, kLow},
           {kOpen, 0, 31, kLow},
           {kOpen, 200000, 0, kLow},
           {kOpen, 200001, 0, kAll},
           {kLow, 200001, 0, kAll},
           // No lag stops everything: what is filed is still worth having.
           {kOpen, 0, 100000, kLow},
           // A state holds until four fifths of its limit.
           {kLow, 50000, 0, kLow},
           {kLow, 40001, 0, kLow},
           {kLow, 40000, 0, kOpen},
           {kLow, 0, 25, kLow},
           {kLow, 0, 24, kOpen},
           {kAll, 200000, 0, kAll},
           {kAll, 160001, 0, kAll},
           {kAll, 160000, 0, kLow},
           {kAll, 40001, 0, kLow},  // On the way down the soft limit holds as well.
           {kAll, 0, 25, kLow},
           {kAll, 40000, 24, kOpen},
       }) {
    EXPECT_EQ(NextAdmission(step.before, {step.rows, absl::Seconds(step.lag_s)}, limits),
              step.after)
        << static_cast<int>(step.before) << " with " << step.rows << " rows, lag " << step.lag_s;
  }
}

TEST(Admission, NeverFlapsWhileTheFactsStand) {
  const AdmissionLimits limits{.soft_rows = 50, .hard_rows = 200, .lag = absl::Seconds(3)};
  for (const AdmissionState before : {kOpen, kLow, kAll}) {
    for (std::int64_t rows = 0; rows <= 220; ++rows) {
      for (int lag = 0; lag <= 5; ++lag) {
        const AdmissionFacts facts{rows, absl::Seconds(lag)};
        const AdmissionState once = NextAdmission(before, facts, limits);
        EXPECT_EQ(NextAdmission(once, facts, limits), once) << rows << " " << lag;
        // More load never opens.
        const AdmissionState more = NextAdmission(before, {rows + 1, absl::Seconds(lag)}, limits);
        EXPECT_GE(more, once) << rows << " " << lag;
      }
    }
  }
}

TEST(Admission, PutsOffLowPriorityAndBulkFirst) {
  for (const auto& [state, priority, bulk, put_off] :
       std::vector<std::tuple<AdmissionState, int, bool, bool>>{{kOpen, 4, true, false},
                                                                {kLow, 1, false, false},
                                                                {kLow, 3, false, false},
                                                                {kLow, 4, false, true},
                                                                {kLow, 1, true, true},
                                                                {kAll, 1, false, true},
                                                                {kAll, 4, true, true}}) {
    EXPECT_EQ(IsPutOff(state, priority, bulk), put_off)
        << static_cast<int>(state) << " " << priority << " " << bulk;
  }
}

TEST(Admission, TheRefusalSaysWhenToComeBackInBothLanguages) {
  for (const AdmissionState state : {kLow, kAll}) {
    const absl::Status status = CreatesPaused(state, 0.5);
    const ErrorDetail detail = GetErrorDetail(status);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(detail.reason, "CREATES_PAUSED");
    EXPECT_EQ(detail.retry_after, absl::Seconds(15));
    EXPECT_THAT(detail.ru, HasSubstr("Повторите с тем же request_id"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("same request_id"));
  }
}

TEST(Admission, RemembersSinceWhenAndWhatItPutOff) {
  Admission admission({.soft_rows = 10, .hard_rows = 20, .lag = absl::Seconds(3)});
  const absl::Time start = absl::FromUnixSeconds(1000);
  EXPECT_TRUE(admission.Check(4, true, 0).ok()) << "before the first measurement all is taken";
  EXPECT_FALSE(admission.Measured({5, absl::ZeroDuration()}, start));
  EXPECT_TRUE(admission.Measured({11, absl::ZeroDuration()}, start + absl::Seconds(1)));
  EXPECT_FALSE(admission.Measured({12, absl::ZeroDuration()}, start + absl::Seconds(2)));
  EXPECT_FALSE(admission.Check(4, false, 0).ok());
  EXPECT_TRUE(admission.Check(3, false, 0).ok());
  EXPECT_EQ(admission.put_off(), 1);
  const Admission::View view = admission.Now();
  EXPECT_EQ(view.state, kLow);
  EXPECT_EQ(view.since, start + absl::Seconds(1));
  EXPECT_EQ(view.facts.outbox_rows, 12);
}

}  // namespace
}  // namespace potok::intake
