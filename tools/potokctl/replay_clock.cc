#include "replay_clock.h"

#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"

namespace potok::ctl {
namespace {

constexpr int kAsked = 6;

}  // namespace

absl::Duration StackClock::Real() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

absl::Status StackClock::Sample() {
  analytics::v1::GetBoardRequest request;
  request.set_name(absl::StrCat("flows/", flow_, "/board"));
  absl::Duration best = absl::InfiniteDuration();
  absl::Time business;
  absl::Duration real;
  for (int i = 0; i < kAsked; ++i) {
    const absl::Duration before = Real();
    const auto board = connection_.Call(
        *connection_.analytics, &analytics::v1::AnalyticsService::Stub::GetBoard, request, As{});
    const absl::Duration took = Real() - before;
    if (!board.ok()) return board.status();
    if (took >= best) continue;
    best = took;
    real = before + took / 2;
    business = absl::FromUnixMicros(
        google::protobuf::util::TimeUtil::TimestampToMicroseconds(board->as_of_time()));
  }
  absl::MutexLock lock(&mu_);
  if (!measured_) {
    first_business_ = business;
    first_real_ = real;
    measured_ = true;
  } else if (real - first_real_ > absl::Milliseconds(100)) {
    scale_ = absl::FDivDuration(business - first_business_, real - first_real_);
  }
  business_ = business;
  real_ = real;
  return absl::OkStatus();
}

absl::Time StackClock::Now() const {
  absl::MutexLock lock(&mu_);
  return business_ + (Real() - real_) * scale_;
}

absl::Duration StackClock::RealAt(absl::Time business) const {
  absl::MutexLock lock(&mu_);
  return real_ + (business - business_) / scale_;
}

double StackClock::scale() const {
  absl::MutexLock lock(&mu_);
  return scale_;
}

}  // namespace potok::ctl
