#include "intake/store/directory_store.h"

#include <utility>

#include "intake/sql.h"

namespace potok::intake {
namespace {

EmployeeRow ReadEmployee(const pqxx::row& row) {
  EmployeeRow out;
  out.id = row["id"].as<std::string>();
  out.name = row["name"].as<std::string>();
  out.email = row["email"].as<std::string>();
  out.job_title = row["job_title"].as<std::string>();
  out.department = row["department"].as<std::string>();
  out.manager = row["manager"].as<std::string>();
  out.zone = row["zone"].as<std::string>();
  out.locale = row["locale"].as<std::string>();
  out.active = row["active"].as<bool>();
  out.version = row["version"].as<int64_t>();
  out.updated_at = pg::FromTimestamp(row["updated_at"]);
  return out;
}

DepartmentRow ReadDepartment(const pqxx::row& row) {
  DepartmentRow out;
  out.id = row["id"].as<std::string>();
  out.name_ru = row["name_ru"].as<std::string>();
  out.name_en = row["name_en"].as<std::string>();
  out.head = row["head"].as<std::string>();
  out.parent = row["parent"].as<std::string>();
  out.version = row["version"].as<int64_t>();
  out.updated_at = pg::FromTimestamp(row["updated_at"]);
  return out;
}

template <class Row, class Read>
std::vector<Row> ReadAll(const pqxx::result& rows, Read read) {
  std::vector<Row> out;
  out.reserve(rows.size());
  for (const pqxx::row& row : rows) out.push_back(read(row));
  return out;
}

std::map<std::string, int64_t> Versions(const pqxx::result& rows) {
  std::map<std::string, int64_t> versions;
  for (const pqxx::row& row : rows) {
    versions[row["id"].as<std::string>()] = row["version"].as<int64_t>();
  }
  return versions;
}

UpsertCounts Count(const pqxx::result& rows) {
  UpsertCounts counts;
  for (const pqxx::row& row : rows) {
    ++(row["created"].as<bool>() ? counts.created : counts.updated);
  }
  return counts;
}

template <class Row>
std::string Column(const std::vector<Row>& rows, std::string Row::*field) {
  std::vector<std::string> values;
  values.reserve(rows.size());
  for (const Row& row : rows) values.push_back(row.*field);
  return pg::TextArray(values);
}

pg::TxOptions Until(DirectoryStore::Deadline deadline) {
  pg::TxOptions options;
  options.deadline = deadline;
  return options;
}

}  // namespace

absl::StatusOr<std::vector<EmployeeRow>> DirectoryStore::ListEmployees(const std::string& after,
                                                                       int limit,
                                                                       Deadline deadline) const {
  return pg::InAutocommit(pool_, Until(deadline),
                          [&](pg::Tx& tx) -> absl::StatusOr<std::vector<EmployeeRow>> {
                            return ReadAll<EmployeeRow>(
                                tx.Run(sql::kDirectoryListEmployees, after, limit), ReadEmployee);
                          });
}

absl::StatusOr<std::vector<DepartmentRow>> DirectoryStore::ListDepartments(
    const std::string& after, int limit, Deadline deadline) const {
  return pg::InAutocommit(
      pool_, Until(deadline), [&](pg::Tx& tx) -> absl::StatusOr<std::vector<DepartmentRow>> {
        return ReadAll<DepartmentRow>(tx.Run(sql::kDirectoryListDepartments, after, limit),
                                      ReadDepartment);
      });
}

absl::StatusOr<std::vector<EmployeeRow>> DirectoryStore::FindEmployees(
    const std::vector<std::string>& ids, Deadline deadline) const {
  return pg::InAutocommit(pool_, Until(deadline),
                          [&](pg::Tx& tx) -> absl::StatusOr<std::vector<EmployeeRow>> {
                            return FindEmployees(tx, ids);
                          });
}

std::map<std::string, int64_t> DirectoryStore::LockEmployees(pg::Tx& tx,
                                                             const std::vector<std::string>& ids) {
  return Versions(tx.Run(sql::kDirectoryLockEmployees, pg::TextArray(ids)));
}

std::map<std::string, int64_t> DirectoryStore::LockDepartments(
    pg::Tx& tx, const std::vector<std::string>& ids) {
  return Versions(tx.Run(sql::kDirectoryLockDepartments, pg::TextArray(ids)));
}

std::set<std::string> DirectoryStore::KnownEmployees(pg::Tx& tx,
                                                     const std::vector<std::string>& ids) {
  std::set<std::string> known;
  for (const pqxx::row& row : tx.Run(sql::kDirectoryKnownEmployees, pg::TextArray(ids))) {
    known.insert(row["id"].as<std::string>());
  }
  return known;
}

std::map<std::string, std::string> DirectoryStore::DepartmentTree(pg::Tx& tx) {
  std::map<std::string, std::string> parents;
  for (const pqxx::row& row : tx.Run(sql::kDirectoryDepartmentTree)) {
    parents[row["id"].as<std::string>()] = row["parent"].as<std::string>();
  }
  return parents;
}

UpsertCounts DirectoryStore::Upsert(pg::Tx& tx, const std::vector<EmployeeRow>& rows,
                                    absl::Time now) {
  std::vector<bool> active;
  active.reserve(rows.size());
  for (const EmployeeRow& row : rows) active.push_back(row.active);
  return Count(tx.Run(sql::kDirectoryUpsertEmployees, Column(rows, &EmployeeRow::id),
                      Column(rows, &EmployeeRow::name), Column(rows, &EmployeeRow::email),
                      Column(rows, &EmployeeRow::job_title), Column(rows, &EmployeeRow::department),
                      Column(rows, &EmployeeRow::manager), Column(rows, &EmployeeRow::zone),
                      Column(rows, &EmployeeRow::locale), pg::BoolArray(active), now));
}

UpsertCounts DirectoryStore::Upsert(pg::Tx& tx, const std::vector<DepartmentRow>& rows,
                                    absl::Time now) {
  return Count(tx.Run(sql::kDirectoryUpsertDepartments, Column(rows, &DepartmentRow::id),
                      Column(rows, &DepartmentRow::name_ru), Column(rows, &DepartmentRow::name_en),
                      Column(rows, &DepartmentRow::head), Column(rows, &DepartmentRow::parent),
                      now));
}

std::vector<EmployeeRow> DirectoryStore::FindEmployees(pg::Tx& tx,
                                                       const std::vector<std::string>& ids) {
  return ReadAll<EmployeeRow>(tx.Run(sql::kDirectoryFindEmployees, pg::TextArray(ids)),
                              ReadEmployee);
}

std::vector<DepartmentRow> DirectoryStore::FindDepartments(pg::Tx& tx,
                                                           const std::vector<std::string>& ids) {
  return ReadAll<DepartmentRow>(tx.Run(sql::kDirectoryFindDepartments, pg::TextArray(ids)),
                                ReadDepartment);
}

}  // namespace potok::intake
