// Checks a request against the rules its proto declares: (potok.api.v1.rules) of each field, valid
// UTF-8, known enum values, instants and durations in their documented ranges. Driven by
// reflection, so a new field is checked by being declared.
//
// The plan of a message type is made once and kept; thread-safe.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "base/error.h"

namespace potok::rpc {

// All violations in `request`, in field order, at most 32 of them.
std::vector<FieldViolation> FindViolations(const google::protobuf::Message& request);

// INVALID_ARGUMENT that names every violation. A mutating request must also carry a `request_id`
// that is a UUID: without one a repeat after a lost answer would do the work twice.
absl::Status Validate(const google::protobuf::Message& request, bool mutating);

// Whether the rules of the message itself make sense: patterns compile, limits fit the type of
// their field, and a mutating request has a string field `request_id`. Checked at start, for each
// method.
absl::Status CheckRules(const google::protobuf::Descriptor& request, bool mutating);

// 8-4-4-4-12 hexadecimal digits.
bool IsUuid(absl::string_view text);

// Why the bytes of a request could not be decoded as `type`: names the first string that is not
// UTF-8 (reason INVALID_UTF8), else says that the bytes are no such message (REQUEST_MALFORMED).
absl::Status ExplainUndecodable(const google::protobuf::Descriptor& type, absl::string_view bytes);

}  // namespace potok::rpc
