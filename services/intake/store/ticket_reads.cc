#include "intake/store/ticket_reads.h"

#include <limits>
#include <utility>

#include "desk/ticket/ids.h"
#include "intake/sql.h"
#include "ledger/history.h"
#include "platform/pg/transaction.h"

namespace potok::intake {
namespace {

desk::QueueReason ReasonOf(pg::Tx& tx, const desk::Ticket& ticket) {
  if (ticket.state != desk::State::kQueued) return desk::QueueReason::kReady;
  const pqxx::result rows =
      tx.Run(sql::kTicketQueueReasons, pg::IntArray(std::vector<int>{ticket.part}),
             pg::TextArray({ticket.id}));
  if (rows.empty()) return desk::QueueReason::kReady;
  return desk::ParseQueueReason(rows[0]["reason"].as<std::string>())
      .value_or(desk::QueueReason::kReady);
}

}  // namespace

absl::StatusOr<std::optional<TicketSeen>> TicketReads::Find(const std::string& id,
                                                            Deadline deadline) const {
  // Two statements of two moments at worst: a reason for a ticket that just left the queue is not
  // shown.
  return pg::InAutocommit(
      pool_, {.read_only = true, .deadline = deadline},
      [&](pg::Tx& tx) -> absl::StatusOr<std::optional<TicketSeen>> {
        std::optional<desk::Ticket> ticket = ledger::FindTicket(tx, id);
        if (!ticket) return std::optional<TicketSeen>();
        const desk::QueueReason reason = ReasonOf(tx, *ticket);
        return std::optional<TicketSeen>(TicketSeen{*std::move(ticket), reason});
      });
}

absl::StatusOr<std::optional<TicketChanges>> TicketReads::ChangesAfter(const std::string& id,
                                                                       int64_t after, int limit,
                                                                       Deadline deadline) const {
  // One snapshot: the ticket is never behind the events it comes with.
  return pg::InTransaction(pool_, {.read_only = true, .snapshot = true, .deadline = deadline},
                           [&](pg::Tx& tx) -> absl::StatusOr<std::optional<TicketChanges>> {
                             std::optional<desk::Ticket> ticket = ledger::FindTicket(tx, id);
                             if (!ticket) return std::optional<TicketChanges>();
                             TicketChanges changes;
                             changes.now.reason = ReasonOf(tx, *ticket);
                             changes.now.ticket = *std::move(ticket);
                             changes.events = ledger::FindEvents(
                                 tx, id, after, std::numeric_limits<int64_t>::max(), limit);
                             return std::optional<TicketChanges>(std::move(changes));
                           });
}

absl::StatusOr<bool> TicketReads::HolderGone(const desk::Ticket& ticket, absl::Time now,
                                             Deadline deadline) const {
  return pg::InAutocommit(
      pool_, {.read_only = true, .deadline = deadline}, [&](pg::Tx& tx) -> absl::StatusOr<bool> {
        return tx.Run(sql::kTicketHolderGone, ticket.assignee, ticket.flow_id, now)[0][0]
            .as<bool>();
      });
}

absl::StatusOr<std::vector<WatchedTicket>> TicketReads::Moved(
    const std::vector<WatchedTicket>& known) const {
  std::vector<int> parts;
  std::vector<std::string> ids;
  std::vector<int64_t> versions;
  for (const WatchedTicket& ticket : known) {
    const std::optional<int> part = desk::PartOfTicketId(ticket.id);
    if (!part) continue;
    parts.push_back(*part);
    ids.push_back(ticket.id);
    versions.push_back(ticket.version);
  }
  return pg::InAutocommit(
      pool_, {.read_only = true}, [&](pg::Tx& tx) -> absl::StatusOr<std::vector<WatchedTicket>> {
        std::vector<WatchedTicket> moved;
        for (const auto& row : tx.Run(sql::kTicketMoved, pg::IntArray(parts), pg::TextArray(ids),
                                      pg::IntArray(versions))) {
          moved.push_back({row[0].as<std::string>(), row[1].as<int64_t>(),
                           row[2].as<std::string>() == desk::Name(desk::State::kArchived)});
        }
        return moved;
      });
}

}  // namespace potok::intake
