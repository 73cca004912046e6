// Employees and departments, a copy of what the HR system knows.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "intake/domain/directory_rules.h"
#include "platform/pg/transaction.h"

namespace potok::intake {

struct UpsertCounts {
  int created = 0;
  int updated = 0;  // Without the rows that were the same already.
};

// Thread-safe. Functions that take a Tx are part of the caller's transaction, cost one statement
// for any number of rows, and throw pqxx.
class DirectoryStore {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit DirectoryStore(pg::Pool& pool) : pool_(pool) {}

  // By id, those after `after`; at most `limit`.
  absl::StatusOr<std::vector<EmployeeRow>> ListEmployees(const std::string& after, int limit,
                                                         Deadline deadline) const;
  absl::StatusOr<std::vector<DepartmentRow>> ListDepartments(const std::string& after, int limit,
                                                             Deadline deadline) const;
  absl::StatusOr<std::vector<EmployeeRow>> FindEmployees(const std::vector<std::string>& ids,
                                                         Deadline deadline) const;

  // Locks those of `ids` that exist; their versions by id.
  static std::map<std::string, int64_t> LockEmployees(pg::Tx& tx,
                                                      const std::vector<std::string>& ids);
  static std::map<std::string, int64_t> LockDepartments(pg::Tx& tx,
                                                        const std::vector<std::string>& ids);
  static std::set<std::string> KnownEmployees(pg::Tx& tx, const std::vector<std::string>& ids);
  // The parent of every department, by id.
  static std::map<std::string, std::string> DepartmentTree(pg::Tx& tx);

  static UpsertCounts Upsert(pg::Tx& tx, const std::vector<EmployeeRow>& rows, absl::Time now);
  static UpsertCounts Upsert(pg::Tx& tx, const std::vector<DepartmentRow>& rows, absl::Time now);

  // As stored, in the order of `ids`.
  static std::vector<EmployeeRow> FindEmployees(pg::Tx& tx, const std::vector<std::string>& ids);
  static std::vector<DepartmentRow> FindDepartments(pg::Tx& tx,
                                                    const std::vector<std::string>& ids);

 private:
  pg::Pool& pool_;
};

}  // namespace potok::intake
