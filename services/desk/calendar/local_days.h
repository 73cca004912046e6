// Walks the local days of a zone over a span of absolute time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace potok::desk {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kSecondsPerDay = 86'400;

// Calls visit(date, midnight, from, to) in order of time, such that the pieces [from, to) cover
// [begin, end) exactly and within a piece local minute m is the instant `midnight + m *
// kMicrosPerMinute`. All instants are microseconds since the Unix epoch.
//
// The walk goes by spans of constant UTC offset, not by civil times: a day with a clock change
// becomes two pieces, and an hour that is skipped or repeated needs no special case. An instant
// then belongs to a working interval exactly when a clock on the wall says so.
template <class Visit>
void ForEachLocalDay(const absl::TimeZone& zone, int64_t begin, int64_t end, Visit&& visit) {
  const absl::CivilSecond epoch;  // 1970-01-01 00:00:00
  while (begin < end) {
    const absl::Time at = absl::FromUnixMicros(begin);
    const int64_t offset = zone.At(at).offset;
    int64_t span_end = end;
    absl::TimeZone::CivilTransition change;
    if (zone.NextTransition(at, &change)) {
      span_end = std::min(end, (change.from - epoch - offset) * kMicrosPerSecond);
    }
    absl::CivilDay date(zone.At(at).cs);
    while (begin < span_end) {
      const int64_t midnight =
          ((date - absl::CivilDay(epoch)) * kSecondsPerDay - offset) * kMicrosPerSecond;
      const int64_t to = std::min(span_end, midnight + kSecondsPerDay * kMicrosPerSecond);
      visit(date, midnight, begin, to);
      begin = to;
      ++date;
    }
  }
}

}  // namespace potok::desk
