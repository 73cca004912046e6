#include "replay_time.h"

#include <algorithm>
#include <vector>

namespace potok::ctl {
namespace {

// The month is what is told; a tail that makes it longer by no more than this is played as it was.
constexpr absl::Duration kMonth = absl::Hours(24 * 31);
constexpr double kLongTail = 0.2;
constexpr double kDenseShare = 0.9;
constexpr double kTailShare = 0.05;

}  // namespace

absl::Time ReplayTime::Played(absl::Time at) const {
  return at <= dense_end ? at : dense_end + (at - dense_end) * squeeze;
}

absl::TimeZone LogZone() {
  absl::TimeZone zone;
  return absl::LoadTimeZone("Europe/Moscow", &zone) ? zone : absl::UTCTimeZone();
}

ReplayTime MakeReplayTime(const RecordedLog& log) {
  std::vector<absl::Time> times;
  for (const RecordedCase& c : log.cases) {
    times.push_back(c.opened);
    for (const RecordedStep& step : c.steps) times.push_back(step.at);
  }
  std::sort(times.begin(), times.end());
  ReplayTime axis;
  axis.first = times.front();
  axis.last = times.back();
  axis.dense_end =
      std::max(axis.first + kMonth, times[static_cast<size_t>(kDenseShare * (times.size() - 1))]);
  const absl::Duration dense = axis.dense_end - axis.first;
  if (axis.last - axis.dense_end <= dense * kLongTail) {
    axis.dense_end = axis.last;
    return axis;
  }
  axis.squeeze = absl::FDivDuration(dense * kTailShare, axis.last - axis.dense_end);
  axis.tail_steps = times.end() - std::upper_bound(times.begin(), times.end(), axis.dense_end);
  return axis;
}

}  // namespace potok::ctl
