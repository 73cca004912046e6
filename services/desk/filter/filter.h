// The one filter language of the API (AIP-160), parsed into a typed condition.
//
//   state = QUEUED AND due_time < "2026-03-31T12:00:00Z" AND (priority >= HIGH OR overdue())
//   -assignee:* title:"принтер"            -- unassigned, title contains the word; no operator =
//   AND state = (QUEUED OR ASSIGNED) AND assignedTo("me")
//
// OR binds tighter than AND, as AIP-160 says: `a AND b OR c` is `a AND (b OR c)`. Everything is
// checked against a FieldCatalog while parsing, so a Filter that exists is sound: fields are known,
// values have the field's type. Pure and thread-safe; texts are hostile until parsed.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::desk {

enum class FilterType {
  kString,      // = != with * at either end as wildcard; `:` finds the text anywhere, any case
  kInt,         // = != < <= > >=
  kDouble,      // = != < <= > >=
  kBool,        // = !=
  kTime,        // RFC 3339 with an offset, to the microsecond; = != < <= > >=
  kDuration,    // 20s, 1.5h, 1h30m; = != < <= > >=
  kEnum,        // = !=, and < <= > >= when `ordered`
  kResource,    // "employees/ivanova" or "ivanova"; = !=
  kStringList,  // `:` is true when the list holds the value
};

struct FilterField {
  std::string name;  // May hold dots: "fields.period".
  FilterType type = FilterType::kString;
  std::vector<std::string> enum_values;  // kEnum: ascending where `ordered`.
  bool ordered = false;
  bool sortable = false;  // May stand in order_by.
  // kResource and kStringList: a leading "employees/" is taken off, so the value is the bare id.
  std::string prefix;
  bool accepts_me = false;  // kResource: the word me stands for the caller.
};

struct FilterFunction {
  std::string name;
  std::vector<FilterField> params;  // Their names are not used.
};

struct FieldCatalog {
  std::vector<FilterField> fields;
  std::vector<FilterFunction> functions;
  // String fields that a bare word or quoted text is looked for in. Empty: bare words are refused.
  std::vector<std::string> search_fields;

  const FilterField* FindField(absl::string_view name) const;
  const FilterFunction* FindFunction(absl::string_view name) const;
};

enum class CompareOp { kEq, kNe, kLt, kLe, kGt, kGe };

// How a text is compared: `x`, `x*`, `*x`, `*x*` or `:x` (any case).
enum class TextMatch { kExact, kPrefix, kSuffix, kContains, kContainsAnyCase };

// The caller, until BindMe names the person.
struct Me {
  bool operator==(const Me&) const = default;
};

// Strings also carry enum names and bare resource ids.
using FilterValue =
    std::variant<bool, int64_t, double, std::string, absl::Time, absl::Duration, Me>;

struct FilterNode {
  enum class Kind {
    kAnd,      // All of `children`, two or more, none of them kAnd.
    kOr,       // Any of `children`, two or more, none of them kOr.
    kNot,      // Not `children[0]`.
    kCompare,  // `name` `op` values[0]
    kHas,      // The list `name` holds values[0].
    kPresent,  // `name` is set and not empty.
    kSearch,   // One of the string fields `among` contains values[0], any case.
    kCall,     // Function `name` of `values`.
  };

  Kind kind = Kind::kAnd;
  std::vector<FilterNode> children;
  std::string name;
  FilterType type = FilterType::kString;
  CompareOp op = CompareOp::kEq;
  TextMatch match = TextMatch::kExact;
  std::vector<FilterValue> values;
  // kSearch: the fields searched. kCompare of an enum by order: the enum values that satisfy it, so
  // that nobody but the parser needs to know the order.
  std::vector<std::string> among;

  bool operator==(const FilterNode&) const = default;
};

// An absent value satisfies no comparison except `!=`, which is exactly NOT `=`. So the logic has
// two values, and NOT of a condition selects exactly the rows that the condition does not.
struct Filter {
  std::vector<FilterNode> root;  // Empty: everything matches. Otherwise one node.

  bool operator==(const Filter&) const = default;
};

struct FilterLimits {
  size_t bytes = 2048;
  int terms = 32;  // Comparisons, searches and calls.
  int depth = 8;   // Parentheses and NOTs inside each other.
};

// INVALID_ARGUMENT, reason FILTER_INVALID, metadata `position` (character, from 1), one violation
// of the field "filter" that names what was found, what is allowed and, for an unknown field, all
// fields.
absl::StatusOr<Filter> ParseFilter(absl::string_view text, const FieldCatalog& catalog,
                                   const FilterLimits& limits = {});

// The one spelling of a filter: equal filters, equal text, so it can be hashed into page tokens.
// Parses back to the same filter. "" for the empty one.
std::string CanonicalText(const Filter& filter);

// Puts the caller in the place of `me`. `employee` is the bare id.
Filter BindMe(Filter filter, absl::string_view employee);

}  // namespace potok::desk
