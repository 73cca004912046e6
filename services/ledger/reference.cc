#include "ledger/reference.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/time/time.h"

#include "base/status_macros.h"
#include "ledger/definition_codec.h"
#include "ledger/reference_write.h"
#include "ledger/sql.h"
#include "platform/obs/log.h"
#include "platform/pg/transaction.h"

namespace potok::ledger {
namespace {

// Real time: how long a change written by another process may stay unseen.
constexpr absl::Duration kPollInterval = absl::Milliseconds(200);

using Epochs = std::map<std::string, int64_t>;
constexpr char kServer[] = "server";  // Among the epochs: reference_epochs.sql.

// One that cannot be read or compiled must not stop the service: the rest of the company still
// files requests.
void LogSkipped(const char* kind, const std::string& id, int version, const absl::Status& status) {
  obs::LogError("reference.skipped", "a stored definition cannot be used and is left out",
                {{"kind", kind}, {"id", id}, {"version", version}, {"error", status}});
}

// Ids and versions of what `known` holds, as the two array arguments of the statements.
template <class Map, class VersionOf>
std::pair<std::string, std::string> KnownVersions(const Map& known, VersionOf version_of) {
  std::vector<std::string> ids;
  std::vector<int> versions;
  for (const auto& [id, value] : known) {
    ids.push_back(id);
    versions.push_back(version_of(*value));
  }
  return {pg::TextArray(ids), pg::IntArray(versions)};
}

// Published versions never change, so only new ones are read and parsed.
void ReadFlows(pg::Tx& tx, ReferenceSnapshot& to) {
  const auto [ids, versions] =
      KnownVersions(to.flows, [](const desk::Flow& flow) { return flow.version; });
  for (const pqxx::row& row : tx.Run(sql::kReferenceFlows, ids, versions)) {
    const auto id = row["flow_id"].as<std::string>();
    const int version = row["version"].as<int>();
    absl::StatusOr<desk::Flow> flow = FlowFromJson(row["definition"].as<std::string>());
    if (!flow.ok()) {
      LogSkipped("flow", id, version, flow.status());
      continue;
    }
    flow->id = id;  // The columns are the truth; the definition only repeats them.
    flow->version = version;
    auto shared = std::make_shared<const desk::Flow>(*std::move(flow));
    to.flow_versions[{id, version}] = shared;
    to.flows[id] = std::move(shared);  // Rows come by version: the last one is the latest.
  }
}

void ReadCalendars(pg::Tx& tx, ReferenceSnapshot& to) {
  const auto [ids, versions] = KnownVersions(
      to.calendars, [](const desk::Calendar& each) { return each.definition().version; });
  for (const pqxx::row& row : tx.Run(sql::kReferenceCalendarVersions, ids, versions)) {
    const auto id = row["id"].as<std::string>();
    const int version = row["version"].as<int>();
    absl::StatusOr<desk::CalendarDefinition> definition =
        CalendarFromJson(row["definition"].as<std::string>());
    if (!definition.ok()) {
      LogSkipped("calendar", id, version, definition.status());
      continue;
    }
    definition->id = id;
    definition->version = version;
    auto calendar = desk::Calendar::Compile(*std::move(definition));
    if (!calendar.ok()) {
      LogSkipped("calendar", id, version, calendar.status());
      continue;
    }
    to.calendars[id] = *std::move(calendar);
  }
}

void ReadPolicies(pg::Tx& tx, ReferenceSnapshot& to) {
  const auto [ids, versions] =
      KnownVersions(to.policies, [](const desk::SlaPolicy& each) { return each.version; });
  for (const pqxx::row& row : tx.Run(sql::kReferencePolicyVersions, ids, versions)) {
    const auto id = row["id"].as<std::string>();
    const int version = row["version"].as<int>();
    absl::StatusOr<desk::SlaPolicy> policy = PolicyFromJson(row["definition"].as<std::string>());
    absl::Status usable = policy.status();
    if (usable.ok()) {
      policy->id = id;
      policy->version = version;
      usable = policy->Validate();
    }
    if (!usable.ok()) {
      LogSkipped("sla_policy", id, version, usable);
      continue;
    }
    to.policies[id] = std::make_shared<const desk::SlaPolicy>(*std::move(policy));
  }
}

// A large company imports its people in many calls, and each of them makes every service look.
void ReadChangedEmployees(pg::Tx& tx, ReferenceSnapshot& to) {
  const auto oldest = tx.Run(sql::kOldestOpenTransaction)[0]["oldest"].as<std::string>();
  const pqxx::result changed = tx.Run(sql::kReferenceEmployees, to.employees_since);
  to.employees_since = oldest;
  if (changed.empty()) return;
  auto employees = std::make_shared<EmployeeMap>(*to.employees);
  for (const pqxx::row& row : changed) {
    auto employee = std::make_shared<Employee>();
    employee->id = row["id"].as<std::string>();
    employee->name = row["name"].as<std::string>();
    employee->email = row["email"].as<std::string>();
    employee->department = row["department"].as<std::string>();
    employee->manager = row["manager"].as<std::string>();
    employee->zone = row["zone"].as<std::string>();
    employee->locale = row["locale"].as<std::string>();
    employee->active = row["active"].as<bool>();
    (*employees)[employee->id] = std::move(employee);
  }
  to.employees = std::move(employees);
}

void ReadDirectory(pg::Tx& tx, ReferenceSnapshot& to) {
  ReadChangedEmployees(tx, to);
  to.departments.clear();
  for (const pqxx::row& row : tx.Run(sql::kReferenceDepartments)) {
    Department department;
    department.id = row["id"].as<std::string>();
    department.name = row["name"].as<std::string>();
    department.head = row["head"].as<std::string>();
    department.parent = row["parent"].as<std::string>();
    std::string id = department.id;
    to.departments.emplace(std::move(id), std::move(department));
  }
}

void ReadMembers(pg::Tx& tx, ReferenceSnapshot& to) {
  to.members.clear();
  for (const pqxx::row& row : tx.Run(sql::kReferenceMembers)) {
    Member member;
    member.flow_id = row["flow_id"].as<std::string>();
    member.employee = row["employee"].as<std::string>();
    member.line = row["line"].as<int>();
    member.calendar = row["calendar"].as<std::string>();
    member.skills = pg::FromTextArray(row["skills"]);
    member.languages = pg::FromTextArray(row["languages"]);
    to.members[member.flow_id].push_back(std::move(member));
  }
}

struct Kind {
  const char* name;
  void (*read)(pg::Tx&, ReferenceSnapshot&);
};
constexpr Kind kKinds[] = {
    {kFlowKind, ReadFlows},          {kCalendarKind, ReadCalendars}, {kPolicyKind, ReadPolicies},
    {kDirectoryKind, ReadDirectory}, {kMemberKind, ReadMembers},
};

Epochs ReadEpochs(pg::Tx& tx) {
  Epochs epochs;
  for (const pqxx::row& row : tx.Run(sql::kReferenceEpochs)) {
    epochs[row["kind"].as<std::string>()] = row["epoch"].as<int64_t>();
  }
  return epochs;
}

bool Contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// The departments headed by `employee`, with everything below them. Departments may form a circle
// only through a damaged import, but a viewer must come out even then.
std::vector<std::string> DepartmentsHeaded(const std::map<std::string, Department>& departments,
                                           const std::string& employee) {
  std::set<std::string> headed;
  std::vector<std::string> open;
  for (const auto& [id, department] : departments) {
    if (department.head == employee && headed.insert(id).second) open.push_back(id);
  }
  while (!open.empty()) {
    const std::string parent = std::move(open.back());
    open.pop_back();
    for (const auto& [id, department] : departments) {
      if (department.parent == parent && headed.insert(id).second) open.push_back(id);
    }
  }
  return {headed.begin(), headed.end()};
}

template <class Map>
auto Lookup(const Map& map, const typename Map::key_type& key)
    -> decltype(map.begin()->second.get()) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : it->second.get();
}

}  // namespace

const desk::Flow* ReferenceSnapshot::Flow(const std::string& id) const { return Lookup(flows, id); }

const desk::Flow* ReferenceSnapshot::FlowVersion(const std::string& id, int version) const {
  return Lookup(flow_versions, {id, version});
}

const desk::SlaPolicy* ReferenceSnapshot::PolicyOf(const desk::Flow& flow) const {
  return Lookup(policies, flow.sla_policy);
}

const desk::Calendar* ReferenceSnapshot::CalendarOf(const desk::SlaPolicy& policy) const {
  return Lookup(calendars, policy.calendar_id);
}

const Employee* ReferenceSnapshot::FindEmployee(const std::string& id) const {
  return Lookup(*employees, id);
}

std::vector<std::string> ReferenceSnapshot::ManagersOf(const desk::Flow& flow) const {
  if (!flow.manager.empty()) return {flow.manager};
  return flow.admins;
}

desk::Viewer ReferenceSnapshot::ViewerOf(const Caller& caller) const {
  desk::Viewer viewer;
  viewer.principal = caller.principal;
  viewer.employee = caller.employee;
  // A scope narrows every role of the token; nothing that is "everywhere" survives it.
  const bool everywhere = caller.scope.empty();
  viewer.admin = everywhere && caller.Has("admin");
  viewer.sees_all =
      viewer.admin || (everywhere && (caller.Has("auditor") || caller.Has("service")));

  std::set<std::string> administered;
  if (!everywhere && (caller.Has("flowAdmin") || caller.Has("admin")) && Flow(caller.scope)) {
    administered.insert(caller.scope);
  }
  const Employee* known = FindEmployee(caller.employee);
  const bool has_left = known != nullptr && !known->active;
  if (!caller.employee.empty() && !has_left) {
    for (const auto& [id, flow] : flows) {
      if (flow->manager == caller.employee || Contains(flow->admins, caller.employee)) {
        administered.insert(id);
      }
    }
    for (const auto& [flow_id, team] : members) {
      if (std::any_of(team.begin(), team.end(),
                      [&](const Member& each) { return each.employee == caller.employee; })) {
        viewer.flows_served.push_back(flow_id);
      }
    }
    viewer.departments_headed = DepartmentsHeaded(departments, caller.employee);
  }
  viewer.flows_administered.assign(administered.begin(), administered.end());
  return viewer;
}

absl::StatusOr<std::unique_ptr<Reference>> Reference::Start(pg::Pool& pool) {
  std::unique_ptr<Reference> reference(new Reference(pool));
  POTOK_RETURN_IF_ERROR(reference->Refresh());
  reference->thread_ = std::thread([self = reference.get()] { self->Run(); });
  return reference;
}

Reference::~Reference() {
  if (!stop_.HasBeenNotified()) stop_.Notify();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const ReferenceSnapshot> Reference::Snapshot() const {
  absl::MutexLock lock(&mu_);
  return snapshot_;
}

absl::Status Reference::Refresh() {
  absl::MutexLock one_at_a_time(&refresh_mu_);
  const std::shared_ptr<const ReferenceSnapshot> old = Snapshot();
  if (old != nullptr) {
    // The usual case: nothing has moved, one small statement says so.
    POTOK_ASSIGN_OR_RETURN(const Epochs now,
                           pg::InAutocommit(pool_, {}, [](pg::Tx& tx) -> absl::StatusOr<Epochs> {
                             return ReadEpochs(tx);
                           }));
    if (now == epochs_) return absl::OkStatus();
  }

  // Epochs and rows in one view of the data: otherwise rows written between the two statements
  // could be taken for older ones and never be read again.
  pg::TxOptions options;
  options.read_only = true;
  options.snapshot = true;
  Epochs read;
  std::shared_ptr<ReferenceSnapshot> next;
  POTOK_RETURN_IF_ERROR(pg::InTransaction(pool_, options, [&](pg::Tx& tx) -> absl::Status {
    read = ReadEpochs(tx);
    // What is known of another server says nothing about what this one still has.
    const bool known = old != nullptr && epochs_[kServer] == read[kServer];
    next =
        known ? std::make_shared<ReferenceSnapshot>(*old) : std::make_shared<ReferenceSnapshot>();
    for (const Kind& kind : kKinds) {
      const auto was = epochs_.find(kind.name);
      if (!known || was == epochs_.end() || was->second != read[kind.name]) {
        kind.read(tx, *next);
      }
    }
    return absl::OkStatus();
  }));
  epochs_ = std::move(read);
  absl::MutexLock lock(&mu_);
  snapshot_ = std::move(next);
  return absl::OkStatus();
}

void Reference::Run() {
  bool failing = false;
  while (!stop_.WaitForNotificationWithTimeout(kPollInterval)) {
    const absl::Status status = Refresh();
    if (!status.ok() && !failing) {
      obs::LogWarn("reference.stale",
                   "reference data cannot be refreshed; the last snapshot is used",
                   {{"error", status}});
    } else if (status.ok() && failing) {
      obs::LogInfo("reference.fresh", "reference data is fresh again");
    }
    failing = !status.ok();
  }
}

}  // namespace potok::ledger
