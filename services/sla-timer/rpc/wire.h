// Instants, durations and names between the wire and the desk. Pure.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "platform/clock/clock.h"

namespace potok::sla_timer {

void SetTimestamp(absl::Time time, google::protobuf::Timestamp* out);
void SetDuration(absl::Duration duration, google::protobuf::Duration* out);

// INVALID_ARGUMENT naming `field` when it is outside the years 1 to 9999.
absl::StatusOr<absl::Time> TimeFromWire(absl::string_view field,
                                        const google::protobuf::Timestamp& time);
absl::Duration DurationFromWire(const google::protobuf::Duration& duration);

// What follows "COLLECTION/" in a name, up to the next slash; "" when it is another collection.
std::string IdOf(absl::string_view collection, absl::string_view name);

// The same refusal with each violation under the name its field has on the wire.
absl::Status WithFields(const absl::Status& status,
                        const std::function<std::string(const std::string&)>& rename);

// Real time, up to a constant: page tokens live a day of the clock on the wall, also when business
// time is scaled.
absl::Time TokenTime(const Clock& clock);

}  // namespace potok::sla_timer
