// The rule of one field: is this answer good, and what is its normal form. Shared by the check of
// answers and by the lint of a form, whose defaults must be good answers themselves.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"

#include "base/error.h"
#include "desk/form/form.h"

namespace potok::desk {

struct ValueCheck {
  FieldValue value;  // Normal form; monostate when there is no answer.
  std::optional<FieldViolation> violation;
};

// Judges `given` for `field`, ignoring default_value and shown_if. `path` names the field in the
// violation. A missing answer to a required field is a violation.
ValueCheck CheckValue(const FormField& field, const FieldValue& given, absl::string_view path);

// default_value in the shape of the field's type (a multi-enum is split at commas).
FieldValue DefaultAnswer(const FormField& field);

}  // namespace potok::desk
