#include "intake/work/forget_answers.h"

#include "base/status_macros.h"
#include "intake/store/old_answers.h"

namespace potok::intake {
namespace {

constexpr int kRowsAtOnce = 2000;
constexpr absl::Duration kRest = absl::Minutes(10);

}  // namespace

absl::StatusOr<absl::Duration> ForgetAnswers(pg::Pool& pool, std::stop_token stop) {
  const OldAnswers old_answers(pool);
  while (!stop.stop_requested()) {
    POTOK_ASSIGN_OR_RETURN(const int dropped, old_answers.Drop(kRowsAtOnce));
    if (dropped < kRowsAtOnce) break;
  }
  return kRest;
}

}  // namespace potok::intake
