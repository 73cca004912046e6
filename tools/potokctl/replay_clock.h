// What time it is for Potok, and how fast its clock runs, seen from outside.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "connection.h"

namespace potok::ctl {

// Business time is the database's own; clients learn it from answers. Thread-safe.
class StackClock {
 public:
  // `flow` exists: its board tells the time.
  StackClock(Connection& connection, std::string flow)
      : connection_(connection), flow_(std::move(flow)) {}

  // Asks several times and keeps the answer that came fastest. The second call and later ones also
  // measure the speed.
  absl::Status Sample();

  absl::Time Now() const;
  // When business time reaches `business`, by the steady clock that Real() reads.
  absl::Duration RealAt(absl::Time business) const;
  // Steady real time; only differences mean something.
  static absl::Duration Real();
  // Business seconds a real second; exact powers and round values are not assumed.
  double scale() const;

 private:
  Connection& connection_;
  const std::string flow_;
  mutable absl::Mutex mu_;
  bool measured_ ABSL_GUARDED_BY(mu_) = false;
  absl::Time first_business_ ABSL_GUARDED_BY(mu_), business_ ABSL_GUARDED_BY(mu_);
  absl::Duration first_real_ ABSL_GUARDED_BY(mu_), real_ ABSL_GUARDED_BY(mu_);
  double scale_ ABSL_GUARDED_BY(mu_) = 1;
};

}  // namespace potok::ctl
