#include "intake/domain/directory_rules.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/time_zone.h"

namespace potok::intake {
namespace {

// Collects violations up to the bound and says how many were left out.
class Violations {
 public:
  explicit Violations(std::string collection) : collection_(std::move(collection)) {}

  void Add(size_t index, const char* field, std::string en, std::string ru) {
    ++count_;
    if (count_ > kMaxViolations) return;
    found_.push_back(
        {absl::StrCat(collection_, "[", index, "].", field), std::move(en), std::move(ru)});
  }

  absl::Status Take() && {
    if (count_ > kMaxViolations) {
      const int more = count_ - kMaxViolations;
      found_.push_back(
          {collection_,
           absl::StrCat(more, " more rows are wrong; correct these first, then repeat the call"),
           absl::StrCat("ещё ошибок: ", more, "; исправьте эти и повторите вызов")});
    }
    return BadFields(std::move(found_));
  }

 private:
  const std::string collection_;
  std::vector<FieldViolation> found_;
  int count_ = 0;
};

template <class Row>
std::map<std::string, size_t> IndexRows(const std::vector<Row>& rows, Violations& bad) {
  std::map<std::string, size_t> index;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto [earlier, fresh] = index.emplace(rows[i].id, i);
    if (!fresh) {
      bad.Add(i, "name",
              absl::StrCat("\"", rows[i].id, "\" stands in row ", earlier->second,
                           " already; keep one"),
              absl::StrCat("«", rows[i].id, "» уже есть в строке ", earlier->second,
                           "; оставьте одну"));
    }
  }
  return index;
}

void UnknownReference(Violations& bad, size_t i, const char* field, const std::string& id,
                      const char* en_what, const char* ru_what) {
  bad.Add(
      i, field,
      absl::StrCat("there is no ", en_what, " \"", id, "\"; add it in this call or an earlier one"),
      absl::StrCat(ru_what, " «", id, "» нет; добавьте в этом или более раннем вызове"));
}

}  // namespace

absl::Status CheckEmployees(const std::vector<EmployeeRow>& rows,
                            const std::set<std::string>& known_employees,
                            const std::set<std::string>& known_departments) {
  Violations bad("employees");
  const auto batch = IndexRows(rows, bad);
  std::map<std::string, bool> zones;  // A batch has few of them, and loading one reads a file.
  for (size_t i = 0; i < rows.size(); ++i) {
    const EmployeeRow& row = rows[i];
    auto zone = zones.find(row.zone);
    if (zone == zones.end()) {
      zone = zones.emplace(row.zone, FindTimeZone(row.zone).has_value()).first;
    }
    if (!zone->second) {
      bad.Add(
          i, "time_zone",
          absl::StrCat("\"", row.zone, "\" is no IANA time zone; write it like Asia/Yekaterinburg"),
          absl::StrCat("«", row.zone,
                       "» — не часовой пояс IANA; пишите, например, Asia/Yekaterinburg"));
    }
    if (!row.department.empty() && known_departments.count(row.department) == 0) {
      UnknownReference(bad, i, "department", row.department, "department", "отдела");
    }
    if (row.manager.empty()) continue;
    if (row.manager == row.id) {
      bad.Add(i, "manager",
              "nobody is their own manager; leave it empty for the head of the company",
              "сотрудник не может быть своим руководителем; у главы компании оставьте поле пустым");
    } else if (batch.count(row.manager) == 0 && known_employees.count(row.manager) == 0) {
      UnknownReference(bad, i, "manager", row.manager, "employee", "сотрудника");
    }
  }
  return std::move(bad).Take();
}

absl::Status CheckDepartments(const std::vector<DepartmentRow>& rows,
                              const std::set<std::string>& known_employees,
                              const std::map<std::string, std::string>& parents) {
  Violations bad("departments");
  const auto batch = IndexRows(rows, bad);
  std::map<std::string, std::string> tree = parents;
  for (const DepartmentRow& row : rows) tree[row.id] = row.parent;
  for (size_t i = 0; i < rows.size(); ++i) {
    const DepartmentRow& row = rows[i];
    if (row.name_ru.empty() && row.name_en.empty()) {
      bad.Add(i, "display_name", "a department needs a name in Russian or English",
              "отделу нужно название на русском или английском");
    }
    if (!row.head.empty() && known_employees.count(row.head) == 0) {
      bad.Add(i, "head",
              absl::StrCat("there is no employee \"", row.head,
                           "\"; add the people first, then name the head"),
              absl::StrCat("сотрудника «", row.head,
                           "» нет; сначала добавьте людей, затем назначьте главу"));
    }
    if (row.parent.empty()) continue;
    if (tree.count(row.parent) == 0) {
      UnknownReference(bad, i, "parent_department", row.parent, "department", "отдела");
      continue;
    }
    std::string at = row.parent;
    for (size_t steps = 0; !at.empty() && at != row.id && steps <= tree.size(); ++steps) {
      const auto next = tree.find(at);
      at = next == tree.end() ? "" : next->second;
    }
    if (!at.empty()) {
      bad.Add(
          i, "parent_department",
          absl::StrCat("\"", row.id, "\" would lie inside itself; choose a parent outside of it"),
          absl::StrCat("«", row.id,
                       "» оказался бы внутри самого себя; выберите другой вышестоящий отдел"));
    }
  }
  return std::move(bad).Take();
}

absl::Status CheckVersion(const std::string& collection, size_t index, const std::string& id,
                          int64_t expected, std::optional<int64_t> stored) {
  if (expected == 0 || stored == expected) return absl::OkStatus();
  ErrorDetail detail;
  const std::string name = absl::StrCat(collection, "/", id);
  detail.metadata["resource"] = name;
  detail.metadata["field"] = absl::StrCat(collection, "[", index, "].etag");
  detail.ru = absl::StrCat(
      name, " изменён после того, как вы его читали; прочтите ещё раз и решите заново");
  return MakeError(
      absl::StatusCode::kAborted, "ETAG_MISMATCH",
      absl::StrCat(name, " has changed since it was read; read it again and decide anew"),
      std::move(detail));
}

}  // namespace potok::intake
