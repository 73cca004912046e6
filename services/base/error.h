// Errors of Potok: an absl::Status that carries what a caller needs to act on it.
//
// A status crosses three borders (pqxx -> Status, decision -> Status, Status -> gRPC) and only the
// last one knows google.rpc. Until then the details travel as a status payload. Thread-safe: pure
// functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace potok {

// One field of a request that is wrong. Both texts name the limit and the way out.
struct FieldViolation {
  std::string field;  // Path in the request, such as "ticket.fields.period".
  std::string en;
  std::string ru;
};

// One condition of the system that forbids the call, such as a state the ticket is in.
struct PreconditionViolation {
  std::string type;     // UPPER_SNAKE, such as "STATE".
  std::string subject;  // Resource name, such as "tickets/0190...".
  std::string description;
};

struct ErrorDetail {
  std::string reason;  // A name of potok.api.v1.ErrorReason without its prefix.
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> fields;
  std::vector<PreconditionViolation> preconditions;
  std::optional<absl::Duration> retry_after;  // When a repeat may succeed.
  std::string ru;  // The message in Russian; the status holds the English one.
};

// Builds a non-OK status; `reason` overrides `extra.reason`.
absl::Status MakeError(absl::StatusCode code, std::string reason, std::string message_en,
                       ErrorDetail extra = {});

// The details of a status made by MakeError; an empty detail for any other status.
ErrorDetail GetErrorDetail(const absl::Status& status);

// INVALID_ARGUMENT / INVALID_FIELD with one violation.
absl::Status BadField(std::string field, std::string en, std::string ru);

// INVALID_ARGUMENT / INVALID_FIELD with all of them; OK when there are none.
absl::Status BadFields(std::vector<FieldViolation> fields);

}  // namespace potok
