#include "router/store/team_store.h"

#include <utility>

#include "nlohmann/json.hpp"

#include "router/sql.h"

namespace potok::router {

std::vector<MemberVersion> LockMembers(pg::Tx& tx, const std::string& flow,
                                       const std::vector<std::string>& employees) {
  std::vector<MemberVersion> found;
  for (const auto& row : tx.Run(sql::kMembersLock, flow, pg::TextArray(employees))) {
    found.push_back({row[0].as<std::string>(), row[1].as<int64_t>(), row[2].as<bool>()});
  }
  return found;
}

void UpsertMembers(pg::Tx& tx, const std::string& flow, int own_cap,
                   const std::vector<MemberDraft>& drafts) {
  nlohmann::json rows = nlohmann::json::array();
  std::vector<std::string> employees;
  std::vector<int> caps;
  for (const MemberDraft& draft : drafts) {
    nlohmann::json row = {{"employee", draft.employee},
                          {"line", draft.line},
                          {"calendar", draft.calendar},
                          {"skills", draft.skills},
                          {"languages", draft.languages}};
    if (draft.max_active.has_value()) row["max_active"] = *draft.max_active;
    rows.push_back(std::move(row));
    employees.push_back(draft.employee);
    caps.push_back(draft.max_active.value_or(own_cap));
  }
  tx.Run(sql::kMembersUpsert, flow, rows.dump());
  tx.Run(sql::kLoadsUpsert, flow, pg::TextArray(employees), pg::IntArray(caps));
}

bool RemoveMember(pg::Tx& tx, const std::string& flow, const std::string& employee,
                  std::optional<int64_t> version) {
  if (tx.Run(sql::kMemberRemove, flow, employee, version).affected_rows() == 0) return false;
  tx.Run(sql::kMemberCloseLoad, flow, employee);
  return true;
}

std::vector<MemberRow> ReadMembers(pg::Tx& tx, const std::string& flow, const std::string& after,
                                   int limit,
                                   const std::optional<std::vector<std::string>>& employees) {
  std::optional<std::string> only;
  if (employees.has_value()) only = pg::TextArray(*employees);
  std::vector<MemberRow> members;
  for (const auto& row : tx.Run(sql::kMembersPage, flow, after, limit, only)) {
    MemberRow member;
    member.employee = row["employee"].as<std::string>();
    member.version = row["version"].as<int64_t>();
    member.line = row["line"].as<int>();
    if (!row["max_active"].is_null()) member.max_active = row["max_active"].as<int>();
    member.calendar = row["calendar"].as<std::string>();
    member.skills = pg::FromTextArray(row["skills"]);
    member.languages = pg::FromTextArray(row["languages"]);
    member.active = row["active"].as<int>();
    member.presence = row["presence"].as<std::string>();
    member.until = pg::FromNullableTimestamp(row["until_at"]);
    members.push_back(std::move(member));
  }
  return members;
}

std::vector<std::string> ReadFlowsOfMember(pg::Tx& tx, const std::string& employee) {
  std::vector<std::string> flows;
  for (const auto& row : tx.Run(sql::kFlowsOfMember, employee)) {
    flows.push_back(row[0].as<std::string>());
  }
  return flows;
}

void WritePresence(pg::Tx& tx, const std::string& employee, const std::string& status,
                   std::optional<absl::Time> until, absl::Time now, const std::string& by) {
  tx.Run(sql::kPresenceSet, employee, status, until, now, by);
}

PresenceRow ReadPresence(pg::Tx& tx, const std::string& employee, absl::Time now) {
  const pqxx::row row = tx.Run(sql::kPresenceFind, employee, now)[0];
  PresenceRow presence;
  presence.status = pg::FromNullableText(row["status"]).value_or("");
  presence.until = pg::FromNullableTimestamp(row["until_at"]);
  presence.updated_at = pg::FromNullableTimestamp(row["updated_at"]);
  presence.absence = pg::FromNullableText(row["absence"]).value_or("");
  return presence;
}

std::string InsertAbsence(pg::Tx& tx, const std::string& employee, const AbsenceRow& absence,
                          absl::Time now, const std::string& by) {
  return tx
      .Run(sql::kAbsenceInsert, employee, absence.kind, absence.starts_at, absence.ends_at,
           absence.comment, by, now)[0][0]
      .as<std::string>();
}

bool DeleteAbsence(pg::Tx& tx, const std::string& employee, const std::string& id) {
  return tx.Run(sql::kAbsenceDelete, employee, id).affected_rows() > 0;
}

std::vector<AbsenceRow> ReadAbsences(pg::Tx& tx, const std::string& employee,
                                     std::optional<absl::Time> starts_at, const std::string& id,
                                     int limit) {
  std::optional<std::string> after;
  if (starts_at.has_value()) after = id;
  std::vector<AbsenceRow> absences;
  for (const auto& row : tx.Run(sql::kAbsencesPage, employee, starts_at, after, limit)) {
    absences.push_back({row["id"].as<std::string>(), row["kind"].as<std::string>(),
                        pg::FromTimestamp(row["starts_at"]), pg::FromTimestamp(row["ends_at"]),
                        row["comment"].as<std::string>()});
  }
  return absences;
}

}  // namespace potok::router
