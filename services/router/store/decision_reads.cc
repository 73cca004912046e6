#include "router/store/decision_reads.h"

#include <utility>

#include "base/status_macros.h"
#include "router/sql.h"

namespace potok::router {
namespace {

desk::QueueReason ReasonOf(const pqxx::field& field) {
  if (field.is_null()) return desk::QueueReason::kReady;
  return desk::ParseQueueReason(field.as<std::string>()).value_or(desk::QueueReason::kReady);
}

}  // namespace

absl::StatusOr<std::vector<FoundDecision>> FindDecisions(pg::Tx& tx, int part,
                                                         const std::string& ticket, int limit) {
  std::vector<FoundDecision> found;
  for (const auto& row : tx.Run(sql::kDecisionsFind, part, ticket, limit)) {
    POTOK_ASSIGN_OR_RETURN(StoredDecision stored, DecisionFromJson(row["body"].as<std::string>()));
    found.push_back(
        {row["version"].as<int64_t>(), row["flow_version"].as<int>(), std::move(stored)});
  }
  return found;
}

std::vector<int64_t> FindHandDecisions(pg::Tx& tx, int part, const std::string& ticket, int limit) {
  std::vector<int64_t> versions;
  for (const auto& row : tx.Run(sql::kHandDecisions, part, ticket, limit)) {
    versions.push_back(row[0].as<int64_t>());
  }
  return versions;
}

desk::QueueReason FindQueueReason(pg::Tx& tx, int part, const std::string& ticket) {
  const pqxx::result rows = tx.Run(sql::kQueueReason, part, ticket);
  return rows.empty() ? desk::QueueReason::kReady : ReasonOf(rows[0][0]);
}

std::vector<QueuedTicket> ReadQueuePage(pg::Tx& tx, const desk::FlowRouting& flow, absl::Time now,
                                        const std::optional<QueueKey>& after, int limit) {
  std::optional<int> behind;
  std::optional<int64_t> effective, seq;
  std::optional<std::string> id;
  if (after.has_value()) {
    behind = after->behind;
    effective = after->effective_priority;
    seq = after->queued_seq;
    id = after->ticket;
  }
  std::vector<QueuedTicket> page;
  for (const auto& row :
       tx.Run(sql::kQueuePage, flow.flow, now, absl::ToInt64Seconds(flow.ageing_step), behind,
              effective, seq, id, limit)) {
    QueuedTicket ticket;
    ticket.key = {row["behind"].as<int>(), row["effective"].as<int64_t>(),
                  row["queued_seq"].as<int64_t>(), row["id"].as<std::string>()};
    ticket.number = row["number"].as<std::string>();
    ticket.title = row["title"].as<std::string>();
    ticket.line = row["line"].as<int>();
    ticket.priority = row["priority"].as<int>();
    ticket.queued_at = pg::FromTimestamp(row["queued_at"]);
    ticket.excluded = pg::FromTextArray(row["excluded"]);
    ticket.due_at = pg::FromNullableTimestamp(row["due_at"]);
    ticket.reason = ReasonOf(row["reason"]);
    page.push_back(std::move(ticket));
  }
  return page;
}

std::map<std::string, int64_t> CountAssigned(pg::Tx& tx, const std::string& flow,
                                             const std::vector<std::string>& agents) {
  std::map<std::string, int64_t> counts;
  for (const auto& row : tx.Run(sql::kAssignedCounts, flow, pg::TextArray(agents))) {
    counts[row[0].as<std::string>()] = row[1].as<int64_t>();
  }
  return counts;
}

std::optional<std::string> FindAnswered(pg::Tx& tx, const std::vector<int>& parts,
                                        const std::string& caller, const std::string& request_id,
                                        const std::string& method) {
  const pqxx::result rows =
      tx.Run(sql::kAnsweredBefore, pg::IntArray(parts), caller, request_id, method);
  if (rows.empty()) return std::nullopt;
  return rows[0][0].as<std::string>();
}

void LockTwin(pg::Tx& tx, const std::string& caller, const std::string& request_id,
              const std::string& method) {
  tx.Run(sql::kTwinLock, caller, method, request_id);
}

}  // namespace potok::router
