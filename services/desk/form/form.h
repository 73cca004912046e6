// The form of a flow: which fields a requester fills in, and the check of what was filled in.
//
// Pure: no I/O, no clock. All functions are thread-safe. Answers come from people and from other
// programs, so every text here is hostile until checked: patterns run on RE2 (linear time), never
// on std::regex, whose backtracking lets one answer stop a worker.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok::desk {

struct EnumOption {
  std::string value;  // What is stored and sent; stable for the life of the field.
  std::string label_ru;
  std::string label_en;

  bool operator==(const EnumOption&) const = default;
};

// The field is asked only while `field` is itself shown and its answer is one of `values`
// (for a multi-enum: at least one of its choices is). "true" / "false" for a bool.
struct ShownIf {
  std::string field;
  std::vector<std::string> values;

  bool operator==(const ShownIf&) const = default;
};

struct FormField {
  enum Type {
    kText,
    kNumber,
    kBool,
    kEnum,
    kMultiEnum,
    kDate,       // "2026-03-31"
    kDateRange,  // "2026-01-01/2026-03-31", both ends included
    kEmployee,   // "employees/ivanova"; whether the person exists is asked by the caller
    kFile,       // a list of "attachments/ID"; whether they exist is asked by the caller
  };

  std::string name;  // [a-z][a-z0-9_]{0,62}
  Type type = kText;
  std::string label_ru;
  std::string label_en;
  std::string help_ru;
  std::string help_en;
  bool required = false;
  std::vector<EnumOption> options;  // kEnum and kMultiEnum only.
  std::string pattern;              // kText only: RE2 syntax, the whole answer must match.
  // Bounds, both included. kText: characters; kNumber: the value; kMultiEnum and kFile: how many
  // items; kDateRange: calendar days. Not allowed for the other types.
  std::optional<double> min;
  std::optional<double> max;
  // Used when no answer is given. As text: "true", "12.5", "2026-03-31", "a,b" for a multi-enum.
  std::string default_value;
  std::optional<ShownIf> shown_if;

  bool operator==(const FormField&) const = default;
};

struct Form {
  std::vector<FormField> fields;

  bool operator==(const Form&) const = default;
};

// monostate is "no answer"; it is what an empty text or an empty list is normalised to.
using FieldValue =
    std::variant<std::monostate, bool, double, std::string, std::vector<std::string>>;

using Answers = std::map<std::string, FieldValue>;

inline constexpr int kMaxFormFields = 60;
inline constexpr int kMaxFieldOptions = 200;
inline constexpr int kMaxPatternBytes = 500;
inline constexpr int kDefaultTextMax = 4000;    // Characters, where the field names no `max`.
inline constexpr int kAbsoluteTextMax = 20000;  // The largest `max` a text field may name.
inline constexpr int kDefaultFilesMax = 10;

// Checks the definition, as a flow admin writes it. INVALID_ARGUMENT (reason INVALID_FIELD) with
// one violation per fault, at "flow.form.fields[3].pattern" and the like.
absl::Status ValidateForm(const Form& form);

// Checks what a requester filled in and returns it normalised: defaults filled, hidden and empty
// fields dropped, "12,5" turned into a number where a number is asked, choices in the order of the
// definition, "ivanova" into "employees/ivanova". Normalising twice changes nothing.
//
// INVALID_ARGUMENT (reason FORM_FIELD_INVALID) with exactly one violation per bad field, at
// "fields.NAME", that names the limit and the way out in both languages. Fields that depend on a
// bad field are not judged: their turn comes when it is clear whether they are asked at all.
//
// `form` must have passed ValidateForm.
absl::StatusOr<Answers> CheckAnswers(const Form& form, const Answers& answers);

// The one way to show an answer as text: "true", "12.5", "a,b"; "" for no answer. What it prints
// is accepted as an answer (and as a default_value) again.
std::string AnswerText(const FieldValue& value);

}  // namespace potok::desk
