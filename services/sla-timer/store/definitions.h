// Calendars and policies as they were published: rows are only added, the latest version of an id
// is in force.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/calendar/definition.h"
#include "desk/sla/policy.h"
#include "platform/pg/pool.h"
#include "platform/pg/transaction.h"

namespace potok::sla_timer {

// A definition in force. Instants are business time.
template <class T>
struct Published {
  T definition;
  absl::Time created_at;    // Of its first version.
  absl::Time published_at;  // Of this one.
};
using PublishedCalendar = Published<desk::CalendarDefinition>;
using PublishedPolicy = Published<desk::SlaPolicy>;

// Inside a transaction; these throw pqxx. `Publish` is false when that version exists already.
absl::StatusOr<std::optional<PublishedCalendar>> FindCalendar(pg::Tx& tx, const std::string& id);
absl::StatusOr<std::optional<PublishedPolicy>> FindPolicy(pg::Tx& tx, const std::string& id);
bool Publish(pg::Tx& tx, const desk::CalendarDefinition& calendar, const std::string& by,
             absl::Time at);
bool Publish(pg::Tx& tx, const desk::SlaPolicy& policy, const std::string& by, absl::Time at);

// Reads with a connection of their own. Thread-safe.
class Definitions {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // `pool` outlives it.
  explicit Definitions(pg::Pool& pool) : pool_(pool) {}

  absl::StatusOr<std::optional<PublishedCalendar>> Calendar(const std::string& id,
                                                            Deadline deadline) const;
  absl::StatusOr<std::optional<PublishedPolicy>> Policy(const std::string& id,
                                                        Deadline deadline) const;
  // By id, those after `after_id`, at most `limit`.
  absl::StatusOr<std::vector<PublishedCalendar>> Calendars(const std::string& after_id, int limit,
                                                           Deadline deadline) const;
  absl::StatusOr<std::vector<PublishedPolicy>> Policies(const std::string& after_id, int limit,
                                                        Deadline deadline) const;

 private:
  pg::Pool& pool_;
};

}  // namespace potok::sla_timer
