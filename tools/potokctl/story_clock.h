// The business time of a stack whose clock runs faster than ours.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "connection.h"

namespace potok::ctl {

// Thread-safe: constant after it was made.
class StoryClock {
 public:
  // Asks the stack what time it is there and keeps the answer with the shortest round trip. Needs
  // `flow` to exist, because a promised term is what says "now" without changing anything.
  static absl::StatusOr<StoryClock> Ask(Connection& connection, const std::string& flow);

  absl::Time Now() const;
  double scale() const { return scale_; }
  // How long business `duration` really takes.
  absl::Duration Real(absl::Duration duration) const { return duration / scale_; }
  // Returns when the business instant has come, at once when it is past, or early when `stop`
  // became true.
  void Until(absl::Time instant, const std::atomic<bool>* stop = nullptr) const;

 private:
  using Steady = std::chrono::steady_clock;
  double scale_ = 1;
  Steady::time_point real_;
  absl::Time business_;
};

// The zone in which the company's people read their clocks.
const absl::TimeZone& Moscow();
// "Пн 16.11 09:05".
std::string Stamp(absl::Time time);
// "понедельник, 16 ноября".
std::string DayRu(absl::CivilDay day);
// "2 рабочих дня", "4 часа": a term of working time.
std::string TermRu(absl::Duration term);
// 09:00-13:00 and 14:00-18:00 on weekdays: when the company's people act. Its days in the story are
// ordinary ones.
bool AtWork(absl::Time time);

}  // namespace potok::ctl
