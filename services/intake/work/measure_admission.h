// Measures what Admission decides by. One turn of a loop.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "intake/domain/admission.h"
#include "platform/pg/pool.h"

namespace potok::intake {

// Returns the real time to rest before the next measurement. UNAVAILABLE when the database is away;
// the last state stays. A change of the state leaves a line in the log.
absl::StatusOr<absl::Duration> MeasureAdmission(pg::Pool& pool, Admission& admission);

}  // namespace potok::intake
