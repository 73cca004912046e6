// Remembered answers of idempotent calls live seven days.
#pragma once

#include <stop_token>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "platform/pg/pool.h"

namespace potok::intake {

// Drops what is older, of tickets and of reference data, in small transactions so that no caller
// waits for them. Replicas may do it at once. Returns the real time until the next turn is worth
// it.
absl::StatusOr<absl::Duration> ForgetAnswers(pg::Pool& pool, std::stop_token stop);

}  // namespace potok::intake
