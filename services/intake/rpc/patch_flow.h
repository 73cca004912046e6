// Which fields of a flow a caller may change, and changing them by mask (AIP-134). Pure,
// thread-safe.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"

#include "potok/intake/v1/flow.pb.h"

namespace potok::intake {

// `base` with the fields that are set in `changes`: what a create makes of a template. Messages are
// merged field by field, lists and filing_access replaced whole.
v1::Flow WithSetFields(v1::Flow base, const v1::Flow& changes);

// `base` with the fields of `mask` taken from `changes`, empty ones included; "*" names every field
// that may change. INVALID_ARGUMENT / FIELD_MASK_INVALID names the first path that is unknown or
// read-only.
absl::StatusOr<v1::Flow> WithMaskedFields(v1::Flow base, const v1::Flow& changes,
                                          const google::protobuf::FieldMask& mask);

}  // namespace potok::intake
