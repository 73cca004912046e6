#include "sla-timer/store/definitions.h"

#include <utility>

#include "base/status_macros.h"
#include "ledger/definition_codec.h"
#include "sla-timer/sql.h"

namespace potok::sla_timer {
namespace {

template <class T>
absl::StatusOr<Published<T>> Read(const pqxx::row& row,
                                  absl::StatusOr<T> (*parse)(const std::string&)) {
  POTOK_ASSIGN_OR_RETURN(T definition, parse(row["definition"].as<std::string>()));
  definition.id = row["id"].as<std::string>();  // The columns are the truth; the text repeats them.
  definition.version = row["version"].as<int>();
  return Published<T>{std::move(definition), pg::FromTimestamp(row["created_at"]),
                      pg::FromTimestamp(row["published_at"])};
}

template <class T>
absl::StatusOr<std::optional<Published<T>>> ReadOne(
    const pqxx::result& rows, absl::StatusOr<T> (*parse)(const std::string&)) {
  if (rows.empty()) return std::optional<Published<T>>();
  POTOK_ASSIGN_OR_RETURN(Published<T> found, Read(rows[0], parse));
  return std::optional<Published<T>>(std::move(found));
}

template <class T>
absl::StatusOr<std::vector<Published<T>>> ReadAll(const pqxx::result& rows,
                                                  absl::StatusOr<T> (*parse)(const std::string&)) {
  std::vector<Published<T>> all;
  for (const auto& row : rows) {
    POTOK_ASSIGN_OR_RETURN(Published<T> found, Read(row, parse));
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace

absl::StatusOr<std::optional<PublishedCalendar>> FindCalendar(pg::Tx& tx, const std::string& id) {
  return ReadOne(tx.Run(sql::kFindCalendar, id), &ledger::CalendarFromJson);
}

absl::StatusOr<std::optional<PublishedPolicy>> FindPolicy(pg::Tx& tx, const std::string& id) {
  return ReadOne(tx.Run(sql::kFindPolicy, id), &ledger::PolicyFromJson);
}

bool Publish(pg::Tx& tx, const desk::CalendarDefinition& calendar, const std::string& by,
             absl::Time at) {
  return !tx.Run(sql::kPublishCalendar, calendar.id, calendar.version, ledger::ToJson(calendar), by,
                 at)
              .empty();
}

bool Publish(pg::Tx& tx, const desk::SlaPolicy& policy, const std::string& by, absl::Time at) {
  return !tx.Run(sql::kPublishPolicy, policy.id, policy.version, ledger::ToJson(policy), by, at)
              .empty();
}

absl::StatusOr<std::optional<PublishedCalendar>> Definitions::Calendar(const std::string& id,
                                                                       Deadline deadline) const {
  return pg::InAutocommit(pool_, {.read_only = true, .deadline = deadline},
                          [&](pg::Tx& tx) { return FindCalendar(tx, id); });
}

absl::StatusOr<std::optional<PublishedPolicy>> Definitions::Policy(const std::string& id,
                                                                   Deadline deadline) const {
  return pg::InAutocommit(pool_, {.read_only = true, .deadline = deadline},
                          [&](pg::Tx& tx) { return FindPolicy(tx, id); });
}

absl::StatusOr<std::vector<PublishedCalendar>> Definitions::Calendars(const std::string& after_id,
                                                                      int limit,
                                                                      Deadline deadline) const {
  return pg::InAutocommit(pool_, {.read_only = true, .deadline = deadline}, [&](pg::Tx& tx) {
    return ReadAll(tx.Run(sql::kListCalendars, after_id, limit), &ledger::CalendarFromJson);
  });
}

absl::StatusOr<std::vector<PublishedPolicy>> Definitions::Policies(const std::string& after_id,
                                                                   int limit,
                                                                   Deadline deadline) const {
  return pg::InAutocommit(pool_, {.read_only = true, .deadline = deadline}, [&](pg::Tx& tx) {
    return ReadAll(tx.Run(sql::kListPolicies, after_id, limit), &ledger::PolicyFromJson);
  });
}

}  // namespace potok::sla_timer
