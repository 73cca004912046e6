// Whether new requests are taken: back-pressure from the transport to whoever files.
//
// When more is written than the log can take or its consumers can handle, new requests of low
// priority and those filed in bulk are put off first; a hard limit puts off all of them. Nothing
// else is refused: resolving, replying and closing free capacity. No I/O: somebody measures and
// tells (work/measure_admission.h). Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace potok::intake {

enum class AdmissionState { kOpen, kSheddingLow, kSheddingAll };

struct AdmissionLimits {
  std::int64_t soft_rows = 50000;   // Outbox rows beyond which low priority and bulk are put off.
  std::int64_t hard_rows = 200000;  // Outbox rows beyond which all new requests are.
  absl::Duration lag = absl::Seconds(30);  // Log lag beyond which low priority and bulk are.
};

struct AdmissionFacts {
  std::int64_t outbox_rows = 0;  // All parts; counted no further than a row beyond the hard limit.
  absl::Duration log_lag;        // Age of the oldest event that is not handled by every group.
};

// What is taken next, after `before`. A state ends only at four fifths of the limit that began it,
// so that it does not flap around the limit.
AdmissionState NextAdmission(AdmissionState before, const AdmissionFacts& facts,
                             const AdmissionLimits& limits);

// Priority 4 is the lowest of 1 to 4.
bool IsPutOff(AdmissionState state, int priority, bool bulk);

// RESOURCE_EXHAUSTED, CREATES_PAUSED, with a time to retry after: `uniform` in [0, 1) spreads
// those who come again. `state` is not kOpen.
absl::Status CreatesPaused(AdmissionState state, double uniform);

// The state of this process and what it has put off.
class Admission {
 public:
  explicit Admission(const AdmissionLimits& limits) : limits_(limits) {}

  struct View {
    AdmissionState state = AdmissionState::kOpen;
    absl::Time since;  // Of the first measurement while nothing has changed.
    AdmissionFacts facts;
  };

  // `now` is real time. True when the state has changed. Without measurements the last state stays:
  // a database that cannot be asked cannot be written to either.
  bool Measured(const AdmissionFacts& facts, absl::Time now);

  // OK, or CreatesPaused. Costs no lock.
  absl::Status Check(int priority, bool bulk, double uniform);

  View Now() const;
  const AdmissionLimits& limits() const { return limits_; }
  std::int64_t put_off() const { return put_off_; }  // Requests since the start.

 private:
  const AdmissionLimits limits_;
  std::atomic<AdmissionState> state_{AdmissionState::kOpen};
  std::atomic<std::int64_t> put_off_{0};
  mutable absl::Mutex mu_;
  absl::Time since_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  AdmissionFacts facts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace potok::intake
