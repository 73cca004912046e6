#include "intake/rpc/convert_directory.h"

#include <optional>

#include "absl/strings/str_cat.h"

#include "base/error.h"
#include "base/status_macros.h"
#include "intake/rpc/convert_ticket.h"
#include "ledger/history.h"

namespace potok::intake {
namespace {

std::string DepartmentName(const std::string& id) {
  return id.empty() ? "" : absl::StrCat("departments/", id);
}

absl::StatusOr<int64_t> VersionSeen(const std::string& etag, const std::string& path) {
  if (etag.empty()) return 0;
  const std::optional<int64_t> version = ledger::VersionOfEtag(etag);
  if (version) return *version;
  return BadField(absl::StrCat(path, ".etag"), "must be an etag as it was read, or empty",
                  "верните etag таким, каким его прочли, или оставьте пустым");
}

}  // namespace

v1::Employee ToWire(const EmployeeRow& row) {
  v1::Employee wire;
  wire.set_name(EmployeeName(row.id));
  wire.set_display_name(row.name);
  wire.set_email(row.email);
  wire.set_job_title(row.job_title);
  wire.set_department(DepartmentName(row.department));
  wire.set_manager(EmployeeName(row.manager));
  wire.set_time_zone(row.zone);
  wire.set_locale(row.locale);
  wire.set_state(row.active ? v1::Employee::STATE_ACTIVE : v1::Employee::STATE_LEFT);
  SetTimestamp(row.updated_at, wire.mutable_update_time());
  wire.set_etag(ledger::EtagOf(row.version));
  return wire;
}

v1::Department ToWire(const DepartmentRow& row) {
  v1::Department wire;
  wire.set_name(DepartmentName(row.id));
  wire.mutable_display_name()->set_ru(row.name_ru);
  wire.mutable_display_name()->set_en(row.name_en);
  wire.set_parent_department(DepartmentName(row.parent));
  wire.set_head(EmployeeName(row.head));
  SetTimestamp(row.updated_at, wire.mutable_update_time());
  wire.set_etag(ledger::EtagOf(row.version));
  return wire;
}

absl::StatusOr<EmployeeRow> RowFromWire(const v1::Employee& wire, const std::string& path) {
  EmployeeRow row;
  POTOK_ASSIGN_OR_RETURN(row.version, VersionSeen(wire.etag(), path));
  row.id = IdOf("employees", wire.name());
  row.name = wire.display_name();
  row.email = wire.email();
  row.job_title = wire.job_title();
  row.department = IdOf("departments", wire.department());
  row.manager = IdOf("employees", wire.manager());
  if (!wire.time_zone().empty()) row.zone = wire.time_zone();
  if (!wire.locale().empty()) row.locale = wire.locale();
  row.active = wire.state() != v1::Employee::STATE_LEFT;
  return row;
}

absl::StatusOr<DepartmentRow> RowFromWire(const v1::Department& wire, const std::string& path) {
  DepartmentRow row;
  POTOK_ASSIGN_OR_RETURN(row.version, VersionSeen(wire.etag(), path));
  row.id = IdOf("departments", wire.name());
  row.name_ru = wire.display_name().ru();
  row.name_en = wire.display_name().en();
  row.parent = IdOf("departments", wire.parent_department());
  row.head = IdOf("employees", wire.head());
  return row;
}

}  // namespace potok::intake
