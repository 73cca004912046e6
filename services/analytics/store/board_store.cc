#include "analytics/store/board_store.h"

#include <set>

#include "analytics/sql.h"

namespace potok::analytics {

void ApplyContributions(pg::Tx& tx, const std::vector<log::LogEntry>& entries) {
  std::set<std::pair<int, std::string>> touched;
  for (const log::LogEntry& entry : entries) touched.emplace(entry.part, entry.entity);
  std::vector<int> parts;
  std::vector<std::string> ids;
  for (const auto& [part, id] : touched) {
    parts.push_back(part);
    ids.push_back(id);
  }
  tx.Run(sql::kApplyContributions, pg::IntArray(parts), pg::TextArray(ids));
}

BoardRows ReadBoard(pg::Tx& tx, const std::string& flow, absl::Time now) {
  BoardRows rows;
  for (const auto& row : tx.Run(sql::kBoardCounters, flow)) {
    Counters c;
    c.agent = row["agent_id"].as<std::string>();
    c.pending_approval = row["pending_approval"].as<int64_t>();
    c.queued = row["queued"].as<int64_t>();
    c.assigned = row["assigned"].as<int64_t>();
    c.in_progress = row["in_progress"].as<int64_t>();
    c.waiting = row["waiting"].as<int64_t>();
    c.resolved = row["resolved"].as<int64_t>();
    c.closed = row["closed"].as<int64_t>();
    c.cancelled = row["cancelled"].as<int64_t>();
    c.handed = row["handed"].as<int64_t>();
    c.finished = row["finished"].as<int64_t>();
    c.judged = row["judged"].as<int64_t>();
    c.on_time = row["on_time"].as<int64_t>();
    c.rated = row["rated"].as<int64_t>();
    c.rating_sum = row["rating_sum"].as<int64_t>();
    c.sent_back = row["sent_back"].as<int64_t>();
    c.reopened = row["reopened"].as<int64_t>();
    rows.counters.push_back(std::move(c));
  }
  for (const auto& row : tx.Run(sql::kBoardLoads, flow)) {
    rows.loads.push_back({row[0].as<std::string>(), row[1].as<int>(), row[2].as<int>()});
  }
  const pqxx::row at = tx.Run(sql::kBoardNow, flow, now)[0];
  rows.oldest_queued_at = pg::FromNullableTimestamp(at["oldest_queued_at"]);
  if (!at["oldest_ticket"].is_null()) rows.oldest_ticket = at["oldest_ticket"].as<std::string>();
  rows.overdue = at["overdue"].as<int64_t>();
  if (!at["p50"].is_null()) rows.resolution_p50 = absl::Microseconds(at["p50"].as<int64_t>());
  if (!at["p90"].is_null()) rows.resolution_p90 = absl::Microseconds(at["p90"].as<int64_t>());
  return rows;
}

}  // namespace potok::analytics
