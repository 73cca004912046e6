// Which column of an incident log holds what, and how its times are written.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace potok::ctl {

// Fields of a log, in the order of kLogFields.
enum class LogField {
  kId,
  kState,
  kUpdated,
  kOpened,
  kCaller,
  kGroup,
  kAssignee,
  kPriority,
  kUrgency,
  kImpact,
  kContact,
  kCategory,
  kSubcategory,
  kTitle,
  kMadeSla,
  kReassignments,
  kResolved,
  kClosed,
};

struct LogFieldName {
  LogField field;
  absl::string_view name;  // As in --map name=column.
  absl::string_view
      aliases;  // Column names it is known under, letters and digits only, between spaces.
  absl::string_view meaning;
};
const std::vector<LogFieldName>& LogFields();

struct LogColumns {
  std::map<LogField, int> index;  // 0-based column of each field that was found.
  bool month_first = false;       // 03/31/2016 rather than 31/03/2016.
};

// `given` maps field names to column names and wins; the rest is guessed by the header's names,
// then by what `sample` holds. INVALID_ARGUMENT names what is missing and how to say it.
absl::StatusOr<LogColumns> FindColumns(const std::vector<std::string>& header,
                                       const std::vector<std::vector<std::string>>& sample,
                                       const std::map<std::string, std::string>& given);

// "31-03-2016 18:40", "31.03.2016 18:40:07", "2016-03-31T18:40:07.5Z", "2016-03-31 18:40 +03:00",
// "3/31/2016 6:40 PM". A time without a zone is read in `zone`. Nothing when it is no time.
std::optional<absl::Time> ParseLogTime(absl::string_view text, absl::TimeZone zone,
                                       bool month_first);

// Empty, "?", "null", "n/a", "none" or "-".
bool IsUnknown(absl::string_view cell);

}  // namespace potok::ctl
