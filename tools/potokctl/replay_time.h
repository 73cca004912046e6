// The time axis of a replay: recorded instants, the business instants they are played at, and how
// fast the clock must run.
#pragma once

#include "absl/time/time.h"

#include "recorded_log.h"

namespace potok::ctl {

// A log is dense for weeks and then trickles for months. The dense part keeps its times exactly;
// what lies behind `dense_end` is squeezed, in order, into a short time after it.
struct ReplayTime {
  absl::Time first;  // First filing.
  absl::Time dense_end;
  absl::Time last;     // Last recorded step.
  double squeeze = 1;  // Length of the tail as played / as recorded.
  int64_t tail_steps = 0;

  // When something recorded at `at` is played. Monotonic.
  absl::Time Played(absl::Time at) const;
  absl::Duration Span() const { return Played(last) - first; }
};

// The wall clock of a log that names no zone, and of what is told about it.
absl::TimeZone LogZone();

ReplayTime MakeReplayTime(const RecordedLog& log);

}  // namespace potok::ctl
