// Members, presence and absences as stored. Inside the caller's transaction; throws pqxx.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "platform/pg/transaction.h"

namespace potok::router {

struct MemberDraft {
  std::string employee;
  int line = 1;
  std::optional<int> max_active;  // None: the flow's.
  std::string calendar;
  std::vector<std::string> skills;
  std::vector<std::string> languages;
};
struct MemberRow : MemberDraft {
  int64_t version = 1;
  int active = 0;
  std::string presence;  // As it was said last.
  std::optional<absl::Time> until;
};
struct MemberVersion {
  std::string employee;
  int64_t version = 0;
  bool present = false;  // False for one who was removed.
};

// Locks the rows of those who are or were members, ascending.
std::vector<MemberVersion> LockMembers(pg::Tx& tx, const std::string& flow,
                                       const std::vector<std::string>& employees);
// Writes members and their caps. Takes the locks of load rows after those of members.
void UpsertMembers(pg::Tx& tx, const std::string& flow, int own_cap,
                   const std::vector<MemberDraft>& drafts);
// False when there is no such member, or not of that version. Closes their load row for every path.
bool RemoveMember(pg::Tx& tx, const std::string& flow, const std::string& employee,
                  std::optional<int64_t> version);
// By id after `after`; only those of `employees` when given.
std::vector<MemberRow> ReadMembers(pg::Tx& tx, const std::string& flow, const std::string& after,
                                   int limit,
                                   const std::optional<std::vector<std::string>>& employees);
std::vector<std::string> ReadFlowsOfMember(pg::Tx& tx, const std::string& employee);

struct PresenceRow {
  std::string status;  // Empty: never said.
  std::optional<absl::Time> until;
  std::optional<absl::Time> updated_at;
  std::string absence;  // Id of the one that lasts; empty for none.
};
void WritePresence(pg::Tx& tx, const std::string& employee, const std::string& status,
                   std::optional<absl::Time> until, absl::Time now, const std::string& by);
PresenceRow ReadPresence(pg::Tx& tx, const std::string& employee, absl::Time now);

struct AbsenceRow {
  std::string id;
  std::string kind;  // leave | sick | day_off
  absl::Time starts_at;
  absl::Time ends_at;
  std::string comment;
};
std::string InsertAbsence(pg::Tx& tx, const std::string& employee, const AbsenceRow& absence,
                          absl::Time now, const std::string& by);
bool DeleteAbsence(pg::Tx& tx, const std::string& employee, const std::string& id);
// The latest start first, after the row of (`starts_at`, `id`) when given.
std::vector<AbsenceRow> ReadAbsences(pg::Tx& tx, const std::string& employee,
                                     std::optional<absl::Time> starts_at, const std::string& id,
                                     int limit);

}  // namespace potok::router
