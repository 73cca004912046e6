// People and departments as the HR system gives them, and what makes a row good. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace potok::intake {

struct EmployeeRow {
  std::string id;
  std::string name;
  std::string email;
  std::string job_title;
  std::string department;  // Department id; empty: none.
  std::string manager;     // Employee id; empty: nobody.
  std::string zone = "Europe/Moscow";
  std::string locale = "ru";
  bool active = true;
  int64_t version =
      0;  // Of a row to write: what the caller saw, 0 = any. Of a stored one: its own.
  absl::Time updated_at;
};

struct DepartmentRow {
  std::string id;
  std::string name_ru;
  std::string name_en;
  std::string head;    // Employee id; empty: nobody.
  std::string parent;  // Department id; empty: none.
  int64_t version = 0;
  absl::Time updated_at;
};

// Violations named in one answer: more would not fit the 8 KiB that gRPC allows for an error.
inline constexpr int kMaxViolations = 20;

// Whether the batch may be written, given what exists already. INVALID_ARGUMENT names each bad row
// by its index, "employees[3].manager", the first kMaxViolations of them. A reference may point
// into the batch itself.
absl::Status CheckEmployees(const std::vector<EmployeeRow>& rows,
                            const std::set<std::string>& known_employees,
                            const std::set<std::string>& known_departments);

// `parents`: the parent of every department that exists, by id. A department may not lie inside
// itself.
absl::Status CheckDepartments(const std::vector<DepartmentRow>& rows,
                              const std::set<std::string>& known_employees,
                              const std::map<std::string, std::string>& parents);

// ABORTED / ETAG_MISMATCH for the first row whose caller saw another version than the stored one.
// `collection`: "employees" or "departments".
absl::Status CheckVersion(const std::string& collection, size_t index, const std::string& id,
                          int64_t expected, std::optional<int64_t> stored);

}  // namespace potok::intake
