#pragma once

#include <exception>
#include <string>

#include "absl/status/status.h"

namespace potok::pg {

// What the transaction runner must do with a failure, next to what the caller is told.
enum class Disposition {
  kFail,       // Tell the caller; the connection is sound.
  kRetryBody,  // Serialization failure or deadlock: nothing was done, the whole body may run again.
  kDropSession,  // The connection is gone or about to go; nothing was committed.
  kInDoubt,      // The COMMIT was sent and its answer was lost. Never retried blindly.
};

struct MappedError {
  absl::Status status;
  Disposition disposition = Disposition::kFail;
};

// The one place where a database failure becomes an absl::Status. Messages carry neither SQL text
// nor host names; the server's own words are kept beside the status for the log (see Cause).
//
//   unique violation                       ALREADY_EXISTS
//   foreign key violation                  FAILED_PRECONDITION
//   serialization failure, deadlock        ABORTED, body retried
//   lock_timeout (55P03)                   ABORTED, not retried here: it has waited already
//   connection lost, too many connections  UNAVAILABLE, connection dropped
//   server shutting down (57P0x), 25P03    UNAVAILABLE, connection dropped
//   statement cancelled or timed out       DEADLINE_EXCEEDED
//   disk full, out of memory (53)          RESOURCE_EXHAUSTED, with a time to retry after
//   the server's disk fails (58)           UNAVAILABLE
//   read-only server (25006)               UNAVAILABLE, connection dropped: a demoted primary
//   lost answer to COMMIT                  UNKNOWN, never retried
//   everything else                        INTERNAL
MappedError MapError(const std::exception& error);

// Facts kept as payloads of a status made by MapError; "" when absent. They stay in the process:
// the gRPC border forwards only ErrorDetail.
std::string SqlState(const absl::Status& status);
std::string Constraint(const absl::Status& status);  // name of the violated constraint
std::string Cause(const absl::Status& status);       // the server's message, for logs only

}  // namespace potok::pg
