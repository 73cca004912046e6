// What the services do with a valid request before they ask the database, by the type of the
// request.
#pragma once

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace potok::fuzz {

// OK, or the refusal a caller would get. Aborts when a conversion does not read back to itself.
absl::Status Convert(const google::protobuf::Message& request);

}  // namespace potok::fuzz
