#include "intake/rpc/directory.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "desk/filter/evaluate.h"
#include "desk/filter/filter.h"
#include "intake/rpc/convert_directory.h"
#include "intake/rpc/convert_ticket.h"
#include "intake/rpc/paging.h"
#include "ledger/reference_idem.h"
#include "ledger/reference_write.h"
#include "platform/obs/log.h"

namespace potok::intake {
namespace {

// Rows read at once while looking for those that pass a filter.
constexpr int kScanRows = 1000;

template <class Row, class Messages>
absl::StatusOr<std::vector<Row>> RowsFromWire(const Messages& messages, const char* collection) {
  std::vector<Row> rows;
  rows.reserve(messages.size());
  for (const auto& message : messages) {
    POTOK_ASSIGN_OR_RETURN(Row row,
                           RowFromWire(message, absl::StrCat(collection, "[", rows.size(), "]")));
    rows.push_back(std::move(row));
  }
  return rows;
}

template <class Row>
std::vector<std::string> IdsOf(const std::vector<Row>& rows) {
  std::vector<std::string> ids;
  ids.reserve(rows.size());
  for (const Row& row : rows) ids.push_back(row.id);
  return ids;
}

template <class Row>
absl::Status CheckVersions(const char* collection, const std::vector<Row>& rows,
                           const std::map<std::string, int64_t>& stored) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto found = stored.find(rows[i].id);
    POTOK_RETURN_IF_ERROR(
        CheckVersion(collection, i, rows[i].id, rows[i].version,
                     found == stored.end() ? std::nullopt : std::optional<int64_t>(found->second)));
  }
  return absl::OkStatus();
}

desk::FilterField Field(std::string name, desk::FilterType type) {
  desk::FilterField field;
  field.name = std::move(name);
  field.type = type;
  return field;
}

const desk::FieldCatalog& EmployeeFields() {
  static const auto* const catalog = [] {
    auto* made = new desk::FieldCatalog;
    desk::FilterField department = Field("department", desk::FilterType::kResource);
    department.prefix = "departments/";
    desk::FilterField manager = Field("manager", desk::FilterType::kResource);
    manager.prefix = "employees/";
    manager.accepts_me = true;
    desk::FilterField state = Field("state", desk::FilterType::kEnum);
    state.enum_values = {"ACTIVE", "LEFT"};
    made->fields = {std::move(department), std::move(manager), std::move(state),
                    Field("display_name", desk::FilterType::kString),
                    Field("email", desk::FilterType::kString)};
    made->search_fields = {"display_name"};
    return made;
  }();
  return *catalog;
}

bool Passes(const desk::Filter& filter, const EmployeeRow& row) {
  desk::FilterRow cells;
  cells.cell = [&](absl::string_view field) -> desk::FilterCell {
    const auto text = [](const std::string& value) -> desk::FilterCell {
      if (value.empty()) return std::monostate{};
      return value;
    };
    if (field == "department") return text(row.department);
    if (field == "manager") return text(row.manager);
    if (field == "state") return std::string(row.active ? "ACTIVE" : "LEFT");
    if (field == "display_name") return text(row.name);
    if (field == "email") return text(row.email);
    return std::monostate{};
  };
  return desk::Evaluate(filter, cells);
}

}  // namespace

void Directory::CatchUp() const {
  if (const absl::Status status = reference_.Refresh(); !status.ok()) {
    obs::LogWarn("reference.stale", "a change is stored but not yet seen here",
                 {{"error", status}});
  }
}

absl::StatusOr<v1::BatchUpsertEmployeesResponse> Directory::UpsertEmployees(
    const CallContext& call, const v1::BatchUpsertEmployeesRequest& request) const {
  POTOK_ASSIGN_OR_RETURN(const std::vector<EmployeeRow> rows,
                         RowsFromWire<EmployeeRow>(request.employees(), "employees"));
  const std::vector<std::string> ids = IdsOf(rows);
  std::set<std::string> managers;
  for (const EmployeeRow& row : rows) {
    if (!row.manager.empty()) managers.insert(row.manager);
  }
  const absl::Time now = clock_.Now();
  const auto upsert = [&](pg::Tx& tx) -> absl::StatusOr<v1::BatchUpsertEmployeesResponse> {
    const auto stored = DirectoryStore::LockEmployees(tx, ids);
    POTOK_RETURN_IF_ERROR(CheckVersions("employees", rows, stored));
    std::set<std::string> departments;
    for (const auto& [id, parent] : DirectoryStore::DepartmentTree(tx)) departments.insert(id);
    POTOK_RETURN_IF_ERROR(CheckEmployees(
        rows, DirectoryStore::KnownEmployees(tx, {managers.begin(), managers.end()}), departments));
    const UpsertCounts counts = DirectoryStore::Upsert(tx, rows, now);
    if (counts.created + counts.updated > 0) ledger::BumpEpoch(tx, ledger::kDirectoryKind);
    v1::BatchUpsertEmployeesResponse response;
    response.set_created_count(counts.created);
    response.set_updated_count(counts.updated);
    for (const EmployeeRow& row : DirectoryStore::FindEmployees(tx, ids)) {
      *response.add_employees() = ToWire(row);
    }
    return response;
  };
  POTOK_ASSIGN_OR_RETURN(
      v1::BatchUpsertEmployeesResponse answer,
      ledger::WriteOnce<v1::BatchUpsertEmployeesResponse>(pool_, call, request, upsert));
  CatchUp();
  return answer;
}

absl::StatusOr<v1::BatchUpsertDepartmentsResponse> Directory::UpsertDepartments(
    const CallContext& call, const v1::BatchUpsertDepartmentsRequest& request) const {
  POTOK_ASSIGN_OR_RETURN(const std::vector<DepartmentRow> rows,
                         RowsFromWire<DepartmentRow>(request.departments(), "departments"));
  const std::vector<std::string> ids = IdsOf(rows);
  std::set<std::string> heads;
  for (const DepartmentRow& row : rows) {
    if (!row.head.empty()) heads.insert(row.head);
  }
  const absl::Time now = clock_.Now();
  const auto upsert = [&](pg::Tx& tx) -> absl::StatusOr<v1::BatchUpsertDepartmentsResponse> {
    const auto stored = DirectoryStore::LockDepartments(tx, ids);
    POTOK_RETURN_IF_ERROR(CheckVersions("departments", rows, stored));
    POTOK_RETURN_IF_ERROR(
        CheckDepartments(rows, DirectoryStore::KnownEmployees(tx, {heads.begin(), heads.end()}),
                         DirectoryStore::DepartmentTree(tx)));
    const UpsertCounts counts = DirectoryStore::Upsert(tx, rows, now);
    if (counts.created + counts.updated > 0) ledger::BumpEpoch(tx, ledger::kDirectoryKind);
    v1::BatchUpsertDepartmentsResponse response;
    response.set_created_count(counts.created);
    response.set_updated_count(counts.updated);
    for (const DepartmentRow& row : DirectoryStore::FindDepartments(tx, ids)) {
      *response.add_departments() = ToWire(row);
    }
    return response;
  };
  POTOK_ASSIGN_OR_RETURN(
      v1::BatchUpsertDepartmentsResponse answer,
      ledger::WriteOnce<v1::BatchUpsertDepartmentsResponse>(pool_, call, request, upsert));
  CatchUp();
  return answer;
}

absl::StatusOr<v1::Employee> Directory::GetEmployee(const CallContext& call,
                                                    const v1::GetEmployeeRequest& request) const {
  const std::string id = IdOf("employees", request.name());
  POTOK_ASSIGN_OR_RETURN(const std::vector<EmployeeRow> found,
                         store_.FindEmployees({id}, call.deadline));
  if (!found.empty()) return ToWire(found.front());
  ErrorDetail detail;
  detail.metadata["employee"] = request.name();
  detail.ru = absl::StrCat("сотрудника ", request.name(), " нет; список даёт ListEmployees");
  return MakeError(absl::StatusCode::kNotFound, "EMPLOYEE_NOT_FOUND",
                   absl::StrCat("there is no ", request.name(), "; ListEmployees names them all"),
                   std::move(detail));
}

absl::StatusOr<v1::ListEmployeesResponse> Directory::ListEmployees(
    const CallContext& call, const v1::ListEmployeesRequest& request) const {
  POTOK_ASSIGN_OR_RETURN(desk::Filter filter,
                         desk::ParseFilter(request.filter(), EmployeeFields()));
  filter = desk::BindMe(std::move(filter), call.caller.employee);
  const std::string arguments = absl::StrCat("employees|", desk::CanonicalText(filter));
  POTOK_ASSIGN_OR_RETURN(const PageStart start, StartOf(request, arguments, page_tokens_, clock_));
  v1::ListEmployeesResponse response;
  std::string after = start.after;
  while (true) {
    const int limit = filter.root.empty() ? start.size + 1 : kScanRows;
    POTOK_ASSIGN_OR_RETURN(const std::vector<EmployeeRow> rows,
                           store_.ListEmployees(after, limit, call.deadline));
    for (const EmployeeRow& row : rows) {
      if (!Passes(filter, row)) continue;
      if (response.employees_size() == start.size) {
        response.set_next_page_token(
            page_tokens_.Seal(IdOf("employees", response.employees(start.size - 1).name()),
                              arguments, TokenTime(clock_)));
        return response;
      }
      *response.add_employees() = ToWire(row);
    }
    if (static_cast<int>(rows.size()) < limit) return response;
    after = rows.back().id;
  }
}

absl::StatusOr<v1::ListDepartmentsResponse> Directory::ListDepartments(
    const CallContext& call, const v1::ListDepartmentsRequest& request) const {
  POTOK_ASSIGN_OR_RETURN(const PageStart start,
                         StartOf(request, "departments", page_tokens_, clock_));
  POTOK_ASSIGN_OR_RETURN(const std::vector<DepartmentRow> rows,
                         store_.ListDepartments(start.after, start.size + 1, call.deadline));
  v1::ListDepartmentsResponse response;
  for (const DepartmentRow& row : rows) {
    if (response.departments_size() == start.size) {
      response.set_next_page_token(
          page_tokens_.Seal(IdOf("departments", response.departments(start.size - 1).name()),
                            "departments", TokenTime(clock_)));
      break;
    }
    *response.add_departments() = ToWire(row);
  }
  return response;
}

}  // namespace potok::intake
