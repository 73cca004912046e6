// How many dead letters wait for somebody, by consumer group: potok_dead_letters_parked{group}, the
// number to alert on. One turn of a loop.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "intake/store/dead_letter_store.h"
#include "platform/obs/metrics.h"

namespace potok::intake {

// Returns the real time to rest before the next look. UNAVAILABLE when the database is away; the
// gauges keep what they showed.
absl::StatusOr<absl::Duration> MeasureDeadLetters(const DeadLetterStore& store,
                                                  obs::Metrics& metrics);

}  // namespace potok::intake
