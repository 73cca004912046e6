// Between rows of the directory and the messages on the wire. Pure, thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "intake/domain/directory_rules.h"
#include "potok/intake/v1/directory.pb.h"

namespace potok::intake {

v1::Employee ToWire(const EmployeeRow& row);
v1::Department ToWire(const DepartmentRow& row);

// Empty zone, locale and state take their defaults. `path` names the message in a violation
// ("employees[3]"): an etag that is not one of ours is refused here, everything else by the rules.
absl::StatusOr<EmployeeRow> RowFromWire(const v1::Employee& wire, const std::string& path);
absl::StatusOr<DepartmentRow> RowFromWire(const v1::Department& wire, const std::string& path);

}  // namespace potok::intake
