// Between an SLA policy of the desk and one on the wire. Pure, thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include <google/protobuf/field_mask.pb.h>

#include "desk/sla/policy.h"
#include "potok/sla_timer/v1/sla_policy.pb.h"
#include "sla-timer/store/definitions.h"

namespace potok::sla_timer {

// Checked; violations name the fields of the wire under "sla_policy". Output-only fields are
// ignored, and whether the calendar exists is the caller's to find out.
absl::StatusOr<desk::SlaPolicy> PolicyFromWire(const v1::SlaPolicy& wire, const std::string& id,
                                               int version);

v1::SlaPolicy ToWire(const PublishedPolicy& policy);

// `base` with what `changes` brings: the fields of `mask`, empty ones included; "*" names all that
// may change; an empty mask names those set in `changes`. INVALID_ARGUMENT / FIELD_MASK_INVALID for
// any other path.
absl::StatusOr<v1::SlaPolicy> WithChanges(v1::SlaPolicy base, const v1::SlaPolicy& changes,
                                          const google::protobuf::FieldMask& mask);

}  // namespace potok::sla_timer
