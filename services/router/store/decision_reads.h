// Reads for callers: decisions, queue pages, loads. Inside the caller's transaction; throws pqxx.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "desk/routing/plan.h"
#include "desk/ticket/ticket.h"
#include "platform/pg/transaction.h"
#include "router/domain/decision_codec.h"

namespace potok::router {

struct FoundDecision {
  int64_t version = 0;
  int flow_version = 1;
  StoredDecision stored;
};
// Stored decisions about a ticket, newest first. DATA_LOSS when one cannot be read.
absl::StatusOr<std::vector<FoundDecision>> FindDecisions(pg::Tx& tx, int part,
                                                         const std::string& ticket, int limit);
// Versions of `assigned` and `transferred` events without a stored decision, newest first.
std::vector<int64_t> FindHandDecisions(pg::Tx& tx, int part, const std::string& ticket, int limit);

// Why a queued ticket waits, as far as a pass has looked at it.
desk::QueueReason FindQueueReason(pg::Tx& tx, int part, const std::string& ticket);

// Place of a ticket in the order of the queue at one instant.
struct QueueKey {
  int behind = 0;  // 0: at the front.
  int64_t effective_priority = 0;
  int64_t queued_seq = 0;
  std::string ticket;
};
struct QueuedTicket {
  QueueKey key;
  std::string number;
  std::string title;
  int line = 1;
  int priority = 3;
  absl::Time queued_at;
  std::vector<std::string> excluded;
  std::optional<absl::Time> due_at;
  desk::QueueReason reason = desk::QueueReason::kReady;
};
// `limit` tickets after `after`, in the policy's order at `now`.
std::vector<QueuedTicket> ReadQueuePage(pg::Tx& tx, const desk::FlowRouting& flow, absl::Time now,
                                        const std::optional<QueueKey>& after, int limit);

// Tickets each agent got in the flow so far; those who got none are left out.
std::map<std::string, int64_t> CountAssigned(pg::Tx& tx, const std::string& flow,
                                             const std::vector<std::string>& agents);

// The ticket an earlier call was about, nothing for a first call. `parts`: where to look.
std::optional<std::string> FindAnswered(pg::Tx& tx, const std::vector<int>& parts,
                                        const std::string& caller, const std::string& request_id,
                                        const std::string& method);
// Waits for a twin of the call that is running now; held until the end of the transaction.
void LockTwin(pg::Tx& tx, const std::string& caller, const std::string& request_id,
              const std::string& method);

}  // namespace potok::router
