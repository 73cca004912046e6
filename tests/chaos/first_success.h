// How soon after a fault of the storage everything does something again.
#pragma once

#include <string>

#include "absl/time/time.h"

#include "chaos/row.h"

namespace potok::chaos {

// Waits until a request is filed, a ticket is given to somebody, the log moves on and is consumed,
// and the loops of timers and mails have had a good turn, and measures each from `ready`, the
// instant the storage was there again, against `bound` seconds. What does not happen within 30 s
// is a violation.
void MeasureFirstSuccess(Scene& scene, absl::Duration ready, double bound);

// How often the words stand in the log of Postgres.
int CountInPostgresLog(Scene& scene, const std::string& words);

}  // namespace potok::chaos
