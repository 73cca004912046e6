#include "intake/work/dead_letter_gauge.h"

#include "base/status_macros.h"

namespace potok::intake {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(10);

}  // namespace

absl::StatusOr<absl::Duration> MeasureDeadLetters(const DeadLetterStore& store,
                                                  obs::Metrics& metrics) {
  POTOK_ASSIGN_OR_RETURN(auto parked, store.Parked());
  // A group without any shows zero: an absent series cannot be told from one nobody measures.
  for (const char* group : {"router", "sla", "notifier", "analytics"}) parked.try_emplace(group, 0);
  for (const auto& [group, letters] : parked) {
    metrics
        .Gauge("potok_dead_letters_parked", "Dead letters that wait for an admin, by group.",
               {{"group", group}})
        .Set(static_cast<double>(letters));
  }
  return kEvery;
}

}  // namespace potok::intake
